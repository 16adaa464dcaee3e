//! A small random network of every operator: by the reference, and as a model image written by hand.

use crate::bytes;
use crate::reference;
use crate::spec::{Kind, Spec, Tensor, random_activation, random_constants, random_weights};
use fastrand::Rng;

/// Where the tensors of the network lie: each in its own part of the arena.
struct Arena {
    end: usize,
}

impl Arena {
    fn place(&mut self, tensor: &Tensor) -> usize {
        let offset = self.end;
        self.end += tensor.volume();
        offset
    }
}

/// A residual network on an 8x8 input: convolution, depthwise, 1x1, add, mean, fully connected, softmax. Each operator
/// reads the output of the one before; the sum also reads the first one's.
#[derive(Debug)]
pub struct Network {
    steps: Vec<Spec>,
}

impl Network {
    /// Random weights and quantisations.
    pub fn random(rng: &mut Rng) -> Self {
        let map = |rng: &mut Rng, channels| Tensor::random(rng, [4, 4, channels]);
        let input = Tensor::random(rng, [8, 8, 1]);
        let [stem, expanded, filtered, projected, sum] = [6, 12, 12, 6, 6].map(|channels| map(rng, channels));
        let [pooled, logits] = [6, 10].map(|channels| Tensor::random(rng, [1, 1, channels]));
        let probabilities = Tensor::probabilities([1, 1, 10]);
        let below_one = |rng: &mut Rng| (rng.i32(1 << 30..=i32::MAX), rng.i8(-2..=0));
        let multipliers = [below_one(rng), below_one(rng), (rng.i32(1 << 30..=i32::MAX), rng.i8(-20..=-18))];
        let steps = vec![
            convolution(rng, false, [3, 3, 2, 2, 0, 0], input, stem),
            convolution(rng, false, [1, 1, 1, 1, 0, 0], stem, expanded),
            convolution(rng, true, [3, 3, 1, 1, 1, 1], expanded, filtered),
            convolution(rng, false, [1, 1, 1, 1, 0, 0], filtered, projected),
            plain(rng, Kind::Add(multipliers), vec![stem, projected], sum),
            plain(rng, Kind::Mean((1 << 30, -4)), vec![sum], pooled),
            fully_connected(rng, pooled, logits),
            Spec {
                activation: (-128, 127),
                ..plain(rng, Kind::Softmax((1 << 30, 22), -255), vec![logits], probabilities)
            },
        ];
        Self { steps }
    }

    /// A random input.
    pub fn input(&self, rng: &mut Rng) -> Vec<i8> {
        self.steps[0].inputs[0].values(rng)
    }

    /// Every layer's output by the reference.
    pub fn layers(&self, input: &[i8]) -> Vec<Vec<i8>> {
        let mut layers: Vec<Vec<i8>> = Vec::new();
        for step in &self.steps {
            let previous = layers.last().map_or(input.to_vec(), Vec::clone);
            let inputs =
                if step.inputs.len() == 2 { vec![layers[0].clone(), previous] } else { vec![previous] };
            layers.push(reference::run(step, &inputs));
        }
        layers
    }

    /// The model image, with labels, a recipe and a test vector for each input.
    pub fn image(&self, test_inputs: &[Vec<i8>]) -> Vec<u8> {
        let mut arena = Arena { end: 0 };
        let mut weights = Vec::new();
        let input = arena.place(&self.steps[0].inputs[0]);
        let outputs: Vec<usize> = self.steps.iter().map(|step| arena.place(&step.output)).collect();
        let mut records = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let previous = if index == 0 { input } else { outputs[index - 1] };
            let inputs = if step.inputs.len() == 2 { vec![outputs[0], previous] } else { vec![previous] };
            records.push(bytes::record(step, &inputs, outputs[index], &mut weights));
        }
        let last = self.steps.len() - 1;
        let sections = [
            (2, weights),
            (16, b"0\n1\n2\n3\n4\n5\n6\n7\n8\n9".to_vec()),
            (17, recipe()),
            (20, self.test_vectors(test_inputs)),
        ];
        let input = bytes::tensor(&self.steps[0].inputs[0], input);
        let output = bytes::tensor(&self.steps[last].output, outputs[last]);
        bytes::image(&records, arena.end, input, output, &sections)
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

fn convolution(rng: &mut Rng, depthwise: bool, window: [usize; 6], input: Tensor, output: Tensor) -> Spec {
    let depth = if depthwise { 1 } else { input.shape[2] };
    let taps = window[0] * window[1] * depth;
    let weights = random_weights(rng, taps * output.shape[2]);
    Spec {
        constants: random_constants(rng, output.shape[2], taps),
        ..plain(rng, Kind::Convolution { depthwise, window, weights }, vec![input], output)
    }
}

fn fully_connected(rng: &mut Rng, input: Tensor, output: Tensor) -> Spec {
    let weights = random_weights(rng, input.volume() * output.volume());
    Spec {
        constants: random_constants(rng, output.volume(), input.volume()),
        ..plain(rng, Kind::FullyConnected(weights), vec![input], output)
    }
}

fn plain(rng: &mut Rng, kind: Kind, inputs: Vec<Tensor>, output: Tensor) -> Spec {
    Spec { kind, inputs, output, activation: random_activation(rng), constants: Vec::new() }
}
