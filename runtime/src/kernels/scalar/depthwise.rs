//! Depthwise 2-D convolution of any window and depth multiplier.

use crate::operator::Convolution;
use crate::slices::part;

/// Output channels summed side by side: enough for the compiler to use vectors, few enough for registers.
const BLOCK: usize = 16;

/// `acc = bias + sum of w * (x - zero point)` over the taps inside the input; output channel `c` reads input channel
/// `c / multiplier`.
///
/// `input` is `[in height][in width][in]`, `output` `[out height][out width][in * multiplier]`.
pub fn depthwise(op: &Convolution<'_>, input: &[i8], output: &mut [i8]) {
    let [width, channels] = [op.output.shape.width, op.output.shape.channels].map(usize::from);
    for (y, row) in output.chunks_exact_mut((width * channels).max(1)).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(channels.max(1)).enumerate() {
            let mut constants = op.channels.iter();
            for (block, outputs) in pixel.chunks_mut(BLOCK).enumerate() {
                let first = block * BLOCK;
                let sums = sum_block(op, input, [y, x], first..first + outputs.len());
                for ((out, sum), (bias, multiplier)) in outputs.iter_mut().zip(sums).zip(&mut constants) {
                    let value = multiplier.rescale(bias + sum) + i64::from(op.output.zero_point);
                    *out = op.activation.clamp(value);
                }
            }
        }
    }
}

/// The sums of products of at most [`BLOCK`] output channels at one position.
fn sum_block(
    op: &Convolution<'_>,
    input: &[i8],
    position: [usize; 2],
    outputs: core::ops::Range<usize>,
) -> [i32; BLOCK] {
    let [height, width, depth] =
        [op.input.shape.height, op.input.shape.width, op.input.shape.channels].map(usize::from);
    let channels = usize::from(op.output.shape.channels);
    let multiplier = channels.checked_div(depth).unwrap_or(1).max(1);
    let (top, rows) = op.window.clip(0, position[0], height);
    let (left, columns) = op.window.clip(1, position[1], width);
    let mut sums = [0; BLOCK];
    for (row, row_tap) in rows.enumerate() {
        for (column, column_tap) in columns.clone().enumerate() {
            let pixel = part(input, ((top + row) * width + left + column) * depth, depth);
            let tap = row_tap * usize::from(op.window.kernel[1]) + column_tap;
            let weights = part(op.weights, tap * channels + outputs.start, outputs.len());
            if multiplier == 1 {
                let values = pixel.get(outputs.start..).unwrap_or(&[]);
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
    weights: &[i8],
) {
    for ((sum, &x), &w) in sums.iter_mut().zip(values).zip(weights) {
        *sum += (i32::from(x) - i32::from(zero_point)) * i32::from(w);
    }
}
