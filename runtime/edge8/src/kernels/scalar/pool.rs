//! Average and maximum over a window.

use crate::kernels::rows::Rows;
use crate::operator::Pool;
use crate::slices::{not_unrolled, part};

/// Channels summed side by side: enough for the compiler to use vectors, few enough for registers, and a device's stack.
const BLOCK: usize = if cfg!(device) { 4 } else { 16 };

/// The mean of the values inside the input, rounded half away from zero, clamped.
///
/// Row `y` of the output, `[out width][channels]`.
pub fn average_pool(op: &Pool, input: Rows<'_>, y: usize, output: &mut [i8]) {
    for (x, pixel) in pixels(op, output) {
        for (block, outputs) in pixel.chunks_mut(BLOCK).enumerate() {
            let (mut sums, mut count) = ([0; BLOCK], 0);
            for row in window(op, input, [y, x]) {
                for values in row.chunks_exact(usize::from(op.input.shape.channels).max(1)) {
                    not_unrolled();
                    let values = part(values, block * BLOCK, outputs.len());
                    for (sum, &value) in sums.iter_mut().zip(values) {
                        not_unrolled();
                        *sum += i32::from(value);
                    }
                    count += 1;
                }
            }
            for (out, sum) in outputs.iter_mut().zip(sums) {
                not_unrolled();
                *out = op.activation.clamp(mean_of(sum, count).into());
            }
        }
    }
}

/// `sum / count`, rounded half away from zero.
pub fn mean_of(sum: i32, count: i32) -> i32 {
    let half = if sum > 0 { count / 2 } else { -(count / 2) };
    (sum + half).checked_div(count).unwrap_or(0)
}

/// The largest of the values inside the input, clamped; shapes as of [`average_pool`].
pub fn max_pool(op: &Pool, input: Rows<'_>, y: usize, output: &mut [i8]) {
    for (x, pixel) in pixels(op, output) {
        pixel.fill(op.activation.min);
        for row in window(op, input, [y, x]) {
            for values in row.chunks_exact(pixel.len().max(1)) {
                for (out, &value) in pixel.iter_mut().zip(values) {
                    not_unrolled();
                    *out = value.max(*out).min(op.activation.max);
                }
            }
        }
    }
}

/// The column and the channels of each pixel of a row.
pub fn pixels<'a>(op: &Pool, row: &'a mut [i8]) -> impl Iterator<Item = (usize, &'a mut [i8])> {
    row.chunks_exact_mut(usize::from(op.output.shape.channels).max(1)).enumerate()
}

/// The pixels of each input row that the window of an output position meets, at least one.
pub fn window<'a>(op: &Pool, input: Rows<'a>, [y, x]: [usize; 2]) -> impl Iterator<Item = &'a [i8]> {
    let [height, width, channels] =
        [op.input.shape.height, op.input.shape.width, op.input.shape.channels].map(usize::from);
    let (top, rows) = op.window.clip(0, y, height);
    let (left, columns) = op.window.clip(1, x, width);
    (top..top + rows.len()).map(move |row| part(input.row(row), left * channels, columns.len() * channels))
}
