//! A packed matrix times patches: convolution and the fully connected layer.

use crate::operator::Matrix;
use crate::packing;

/// `bias + sum of w * x`, rescaled, plus the output's zero point, clamped: `input` is `[patches][depth]`, `output`
/// `[patches][outputs]`.
pub fn product(op: &Matrix<'_>, input: &[i8], output: &mut [i8]) {
    let outputs = op.outputs();
    for (patch, values) in input.chunks_exact(op.depth.max(1)).zip(output.chunks_exact_mut(outputs.max(1))) {
        for (index, (value, channel)) in values.iter_mut().zip(op.channels.iter()).enumerate() {
            let (start, step) = packing::matrix_start(outputs, op.depth, index);
            let row = op.weights.get(start..).unwrap_or(&[]).chunks(step.max(1));
            let sum = patch.as_chunks().0.iter().zip(row).map(|(x, w)| group(x, w)).sum::<i32>();
            let exact = channel.multiplier.rescale(channel.bias + sum) + i64::from(op.zero_point);
            *value = op.activation.clamp(exact);
        }
    }
}

/// `sum of w * x` over one group.
fn group(x: &[i8; packing::GROUP], w: &[i8]) -> i32 {
    x.iter().zip(w).map(|(&x, &w)| i32::from(x) * i32::from(w)).sum()
}
