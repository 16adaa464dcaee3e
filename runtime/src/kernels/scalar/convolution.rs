//! 2-D convolution of any window.

use super::dot;
use crate::operator::Convolution;
use crate::slices::part;

/// `acc = bias + sum of w * (x - zero point)` over the taps inside the input, rescaled, plus the output's zero point,
/// clamped.
///
/// `input` is `[in height][in width][in]`, `output` `[out height][out width][out]`.
pub fn convolution(op: &Convolution<'_>, input: &[i8], output: &mut [i8]) {
    let [width, channels] = [op.output.shape.width, op.output.shape.channels].map(usize::from);
    for (y, row) in output.chunks_exact_mut((width * channels).max(1)).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(channels.max(1)).enumerate() {
            convolve_pixel(op, input, [y, x], pixel);
        }
    }
}

/// All output channels of one pixel.
fn convolve_pixel(op: &Convolution<'_>, input: &[i8], position: [usize; 2], pixel: &mut [i8]) {
    let [height, width, depth] =
        [op.input.shape.height, op.input.shape.width, op.input.shape.channels].map(usize::from);
    let (top, rows) = op.window.clip(0, position[0], height);
    let (left, columns) = op.window.clip(1, position[1], width);
    let kernel_row = usize::from(op.window.kernel[1]) * depth;
    let span = columns.len() * depth;
    let filters = op.weights.chunks_exact((op.window.taps() * depth).max(1));
    for ((out, filter), (bias, multiplier)) in pixel.iter_mut().zip(filters).zip(op.channels.iter()) {
        let mut sum = bias;
        for (row, tap) in rows.clone().enumerate() {
            let x = part(input, ((top + row) * width + left) * depth, span);
            let w = part(filter, tap * kernel_row + columns.start * depth, span);
            sum += dot(x, op.input.zero_point, w);
        }
        *out = op.activation.clamp(multiplier.rescale(sum) + i64::from(op.output.zero_point));
    }
}
