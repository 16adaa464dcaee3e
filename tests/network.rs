//! A small random network of every operator, as a model image written by hand.

use crate::bytes;
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

/// A residual network on an 8x8 input: convolution, depthwise, 1x1, add, mean, fully connected, softmax.
pub fn image(rng: &mut Rng) -> Vec<u8> {
    let map = |rng: &mut Rng, channels| Tensor::random(rng, [4, 4, channels]);
    let input = Tensor::random(rng, [8, 8, 1]);
    let (stem, expanded, filtered, projected, sum) =
        (map(rng, 6), map(rng, 12), map(rng, 12), map(rng, 6), map(rng, 6));
    let (pooled, logits) = (Tensor::random(rng, [1, 1, 6]), Tensor::random(rng, [1, 1, 10]));
    let probabilities = Tensor { shape: [1, 1, 10], zero_point: -128 };
    let below_one = |rng: &mut Rng| (rng.i32(1 << 30..=i32::MAX), rng.i8(-2..=0));
    let multipliers = [below_one(rng), below_one(rng), (rng.i32(1 << 30..=i32::MAX), rng.i8(-20..=-18))];
    let steps = [
        convolution(rng, false, [3, 3, 2, 2, 0, 0], input, stem),
        convolution(rng, false, [1, 1, 1, 1, 0, 0], stem, expanded),
        convolution(rng, true, [3, 3, 1, 1, 1, 1], expanded, filtered),
        convolution(rng, false, [1, 1, 1, 1, 0, 0], filtered, projected),
        plain(rng, Kind::Add(multipliers), vec![stem, projected], sum),
        plain(rng, Kind::Mean((1 << 30, -4)), vec![sum], pooled),
        fully_connected(rng, pooled, logits),
        plain(rng, Kind::Softmax((1 << 30, 22), -255), vec![logits], probabilities),
    ];
    assemble(&steps)
}

/// Chains the operators: each reads the output of the one before; a second input is the first operator's output.
fn assemble(steps: &[Spec]) -> Vec<u8> {
    let mut arena = Arena { end: 0 };
    let mut weights = Vec::new();
    let input = arena.place(&steps[0].inputs[0]);
    let outputs: Vec<usize> = steps.iter().map(|step| arena.place(&step.output)).collect();
    let record = |(index, step): (usize, &Spec)| {
        let previous = if index == 0 { input } else { outputs[index - 1] };
        let inputs = if step.inputs.len() == 2 { vec![outputs[0], previous] } else { vec![previous] };
        bytes::record(step, &inputs, outputs[index], &mut weights)
    };
    let records: Vec<Vec<u8>> = steps.iter().enumerate().map(record).collect();
    let last = steps.len() - 1;
    let output = bytes::tensor(&steps[last].output, outputs[last]);
    bytes::image(&records, &weights, arena.end, bytes::tensor(&steps[0].inputs[0], input), output)
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
