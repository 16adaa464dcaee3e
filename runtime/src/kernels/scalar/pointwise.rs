//! 1x1 convolution and the fully connected layer: a matrix product.

use super::dot;
use crate::fixed_point::Activation;
use crate::operator::{Convolution, FullyConnected, PerChannel};

/// 1x1 convolution with stride 1: `input` is `[pixels][in]`, `output` `[pixels][out]`, weights `[out][in]`.
pub fn pointwise(op: &Convolution<'_>, input: &[i8], output: &mut [i8]) {
    let [inputs, outputs] = [op.input.shape.channels, op.output.shape.channels].map(usize::from);
    let product = Product {
        weights: op.weights,
        channels: op.channels,
        zero_points: [op.input.zero_point, op.output.zero_point],
        activation: op.activation,
    };
    for (x, y) in input.chunks_exact(inputs.max(1)).zip(output.chunks_exact_mut(outputs.max(1))) {
        product.apply(x, y);
    }
}

/// Fully connected layer: `input` is `[in]`, `output` `[out]`, weights `[out][in]`.
pub fn fully_connected(op: &FullyConnected<'_>, input: &[i8], output: &mut [i8]) {
    let product = Product {
        weights: op.weights,
        channels: op.channels,
        zero_points: [op.input.zero_point, op.output.zero_point],
        activation: op.activation,
    };
    product.apply(input, output);
}

/// A matrix with what follows each of its rows.
struct Product<'a> {
    weights: &'a [i8],
    channels: PerChannel<'a>,
    /// Of the input, of the output.
    zero_points: [i8; 2],
    activation: Activation,
}

impl Product<'_> {
    /// One output vector from one input vector.
    fn apply(&self, input: &[i8], output: &mut [i8]) {
        let [zero_in, zero_out] = self.zero_points;
        let rows = self.weights.chunks_exact(input.len().max(1));
        for ((out, row), (bias, multiplier)) in output.iter_mut().zip(rows).zip(self.channels.iter()) {
            let sum = bias + dot(input, zero_in, row);
            *out = self.activation.clamp(multiplier.rescale(sum) + i64::from(zero_out));
        }
    }
}
