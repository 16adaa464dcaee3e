//! A small random network of every operator: by the reference, and as a model image written by hand.

use crate::spec::{Kind, Spec, Tensor, Window};
use crate::{bytes, random, reference};
use fastrand::Rng;

/// A residual network on an 8x8 input. Tensor 0 is the input, tensor `n` the output of step `n - 1`.
#[derive(Debug)]
pub struct Network {
    tensors: Vec<Tensor>,
    steps: Vec<Step>,
}

/// An operator and the tensors that it reads.
#[derive(Debug)]
struct Step {
    spec: Spec,
    reads: Vec<usize>,
}

impl Network {
    /// Random weights and quantisations.
    pub fn random(rng: &mut Rng) -> Self {
        let mut network = Self { tensors: vec![Tensor::random(rng, [8, 8, 1])], steps: Vec::new() };
        let padded = network.push(rng, Kind::Pad([1, 1, 0]), &[0], [10, 10, 1]);
        let stem = network.convolution(rng, false, [3, 3, 2, 2, 0, 0], padded, 6);
        let expanded = network.convolution(rng, false, [1, 1, 1, 1, 0, 0], stem, 12);
        let filtered = network.convolution(rng, true, [3, 3, 1, 1, 1, 1], expanded, 12);
        let projected = network.convolution(rng, false, [1, 1, 1, 1, 0, 0], filtered, 6);
        let residual = addition(rng);
        let sum = network.push_in_place(rng, residual, &[stem, projected]);
        let values = Kind::Constant(random::values(rng, 6));
        let constant = network.push(rng, values, &[], [1, 1, 6]);
        let shift = addition(rng);
        let shifted = network.push(rng, shift, &[sum, constant], [4, 4, 6]);
        let largest = network.push(rng, Kind::MaxPool([3, 3, 1, 1, 1, 1]), &[shifted], [4, 4, 6]);
        let average = network.push(rng, Kind::AveragePool([2, 2, 2, 2, 0, 0]), &[largest], [2, 2, 6]);
        let pooled = network.push(rng, Kind::Mean((1 << 30, -2)), &[average], [1, 1, 6]);
        let weights = Kind::FullyConnected(random::weights(rng, 60));
        let logits = network.push(rng, weights, &[pooled], [1, 1, 10]);
        network.push_in_place(rng, Kind::Softmax((1 << 30, 22), -255), &[logits]);
        network
    }

    /// Appends an operator; the index of its output.
    fn push(&mut self, rng: &mut Rng, kind: Kind, reads: &[usize], shape: [usize; 3]) -> usize {
        let inputs = reads.iter().map(|&tensor| self.tensors[tensor]).collect();
        let spec = random::operator(rng, kind, inputs, shape);
        self.tensors.push(spec.output);
        self.steps.push(Step { spec, reads: reads.to_vec() });
        self.steps.len()
    }

    /// Appends an operator that writes over its first input; the index of its output.
    fn push_in_place(&mut self, rng: &mut Rng, kind: Kind, reads: &[usize]) -> usize {
        let output = self.push(rng, kind, reads, self.tensors[reads[0]].shape);
        self.steps[output - 1].spec.in_place = true;
        output
    }

    /// Appends a convolution whose output is 4x4; the index of its output.
    fn convolution(
        &mut self,
        rng: &mut Rng,
        depthwise: bool,
        window: Window,
        input: usize,
        outputs: usize,
    ) -> usize {
        let depth = if depthwise { 1 } else { self.tensors[input].shape[2] };
        let weights = random::weights(rng, window[0] * window[1] * depth * outputs);
        self.push(rng, Kind::Convolution { depthwise, window, weights }, &[input], [4, 4, outputs])
    }

    /// A random input.
    pub fn input(&self, rng: &mut Rng) -> Vec<i8> {
        self.tensors[0].values(rng)
    }

    /// Every layer's output by the reference.
    pub fn layers(&self, input: &[i8]) -> Vec<Vec<i8>> {
        let mut values = vec![input.to_vec()];
        for Step { spec, reads } in &self.steps {
            let inputs: Vec<Vec<i8>> = reads.iter().map(|&tensor| values[tensor].clone()).collect();
            values.push(reference::run(spec, &inputs));
        }
        values.split_off(1)
    }

    /// The model image, with labels, a recipe and a test vector for each input. Each tensor has its own part of the
    /// arena, apart from those that are written in place.
    pub fn image(&self, test_inputs: &[Vec<i8>]) -> Vec<u8> {
        let (mut places, mut end) = (vec![0], self.tensors[0].volume());
        let mut weights = Vec::new();
        let mut records = Vec::new();
        for Step { spec, reads } in &self.steps {
            let inputs: Vec<usize> = reads.iter().map(|&tensor| places[tensor]).collect();
            let output = if spec.in_place { inputs[0] } else { end };
            end = end.max(output + spec.output.volume());
            records.push(bytes::record(spec, &inputs, output, &mut weights));
            places.push(output);
        }
        let specs: Vec<Spec> = self.steps.iter().map(|step| step.spec.clone()).collect();
        let sections = [
            (2, weights),
            (3, bytes::schedule(&specs)),
            (16, b"0\n1\n2\n3\n4\n5\n6\n7\n8\n9".to_vec()),
            (17, recipe()),
            (20, self.test_vectors(test_inputs)),
        ];
        let last = self.steps.len();
        let output = bytes::tensor(&self.tensors[last], places[last]);
        bytes::image(&records, end, bytes::tensor(&self.tensors[0], 0), output, &sections)
    }

    fn test_vectors(&self, inputs: &[Vec<i8>]) -> Vec<u8> {
        let unsigned = |values: &[i8]| values.iter().map(|&value| value as u8).collect::<Vec<u8>>();
        let mut section = (inputs.len() as u32).to_le_bytes().to_vec();
        for input in inputs {
            let layers = self.layers(input);
            section.extend(unsigned(input));
            section.extend(unsigned(&layers[layers.len() - 1]));
            section.extend(layers.iter().flat_map(|layer| crc32fast::hash(&unsigned(layer)).to_le_bytes()));
        }
        section
    }
}

/// Side 8, digit 6, black at -128.
fn recipe() -> Vec<u8> {
    let mut section: Vec<u8> = [1u16, 8, 6, 0].iter().flat_map(|field| field.to_le_bytes()).collect();
    section.extend((0..=255u8).map(|grey| grey.wrapping_sub(128)));
    section
}

/// A sum that seldom leaves int8.
fn addition(rng: &mut Rng) -> Kind {
    let mut multiplier = |low: i8, high: i8| (rng.i32(1 << 30..=i32::MAX), rng.i8(low..=high));
    Kind::Add([multiplier(-2, 0), multiplier(-2, 0), multiplier(-20, -18)])
}
