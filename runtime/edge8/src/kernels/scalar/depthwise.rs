//! Depthwise 2-D convolution of any window and depth multiplier.

use crate::kernels::rows::Rows;
use crate::operator::Convolution;
use crate::packing;
use crate::slices::part;
use core::ops::Range;

/// Output channels summed side by side: enough for the compiler to use vectors, few enough for registers, and a device's
/// stack.
const BLOCK: usize = if cfg!(device) { 4 } else { 16 };

/// `bias + sum of w * x` with the input's zero point where the kernel reaches beyond the input; output channel `c` reads
/// input channel `c / multiplier`.
///
/// Row `y` of the output, `[out width][in * multiplier]`.
pub fn depthwise(op: &Convolution<'_>, input: Rows<'_>, y: usize, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    for (x, pixel) in output.chunks_exact_mut(channels.max(1)).enumerate() {
        let mut constants = op.channels.iter();
        for (block, outputs) in pixel.chunks_mut(BLOCK).enumerate() {
            let first = block * BLOCK;
            let sums = sum_block(op, input, [y, x], first..first + outputs.len());
            for ((out, sum), channel) in outputs.iter_mut().zip(sums).zip(&mut constants) {
                // Taps outside the input hold its zero point, so that the sum of all weights is in the bias. A device has
                // not checked that sum.
                let zero_points = channel.sum.wrapping_mul(op.input.zero_point.into());
                let sum = channel.bias.wrapping_add(zero_points).wrapping_add(sum);
                let value = channel.multiplier.rescale(sum) + i64::from(op.output.zero_point);
                *out = op.activation.clamp(value);
            }
        }
    }
}

/// The sums of `w * (x - zero point)` of at most [`BLOCK`] output channels at one position.
fn sum_block(
    op: &Convolution<'_>,
    input: Rows<'_>,
    [y, x]: [usize; 2],
    outputs: Range<usize>,
) -> [i32; BLOCK] {
    let [height, width, depth] =
        [op.input.shape.height, op.input.shape.width, op.input.shape.channels].map(usize::from);
    let channels = usize::from(op.output.shape.channels);
    let multiplier = channels.checked_div(depth).unwrap_or(1).max(1);
    let kernel = op.window.kernel.map(usize::from);
    let (top, rows) = op.window.clip(0, y, height);
    let (left, columns) = op.window.clip(1, x, width);
    let mut sums = [0; BLOCK];
    for (row, row_tap) in rows.enumerate() {
        let values = input.row(top + row);
        for (column, column_tap) in columns.clone().enumerate() {
            let pixel = part(values, (left + column) * depth, depth);
            let first = packing::depthwise_index(kernel, channels, [row_tap, column_tap], outputs.start);
            let weights = op.weights.get(first..).unwrap_or(&[]).iter().step_by(packing::GROUP);
            if multiplier == 1 {
                let values = pixel.get(outputs.clone()).unwrap_or(&[]);
                accumulate(&mut sums, values.iter(), op.input.zero_point, weights);
            } else {
                let values = outputs.clone().filter_map(|channel| pixel.get(channel / multiplier));
                accumulate(&mut sums, values, op.input.zero_point, weights);
            }
        }
    }
    sums
}

/// One tap of every channel in the block.
fn accumulate<'a>(
    sums: &mut [i32; BLOCK],
    values: impl Iterator<Item = &'a i8>,
    zero_point: i8,
    weights: impl Iterator<Item = &'a i8>,
) {
    for ((sum, &x), &w) in sums.iter_mut().zip(values).zip(weights) {
        *sum += (i32::from(x) - i32::from(zero_point)) * i32::from(w);
    }
}
