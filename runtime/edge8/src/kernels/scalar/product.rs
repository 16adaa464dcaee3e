//! A packed matrix times patches: convolution and the fully connected layer.

use crate::operator::Matrix;
use crate::packing;

/// `bias + sum of w * x`, rescaled, plus the output's zero point, clamped: `input` is `[patches][depth]`, `output`
/// `[patches][outputs]`.
pub fn product(op: &Matrix<'_>, input: &[i8], output: &mut [i8]) {
    let outputs = op.outputs();
    for (patch, values) in input.chunks_exact(op.depth.max(1)).zip(output.chunks_exact_mut(outputs.max(1))) {
        for (index, (value, channel)) in values.iter_mut().zip(op.channels.iter()).enumerate() {
            let sum = dot(op, patch, index);
            let exact = channel.multiplier.rescale(channel.bias + sum) + i64::from(op.zero_point);
            *value = op.activation.clamp(exact);
        }
    }
}

/// `sum of w * x` of an output over a patch.
fn dot(op: &Matrix<'_>, patch: &[i8], output: usize) -> i32 {
    let (mut at, step) = packing::matrix_start(op.outputs(), op.depth, output);
    let mut sum = 0;
    for group in patch.as_chunks::<{ packing::GROUP }>().0 {
        for (&x, &w) in group.iter().zip(op.weights.get(at..).unwrap_or(&[])) {
            sum += i32::from(x) * i32::from(w);
        }
        at = at.wrapping_add(step);
    }
    sum
}
