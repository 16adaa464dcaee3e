//! Average and maximum over a window.

use crate::operator::Pool;
use crate::slices::part;

/// Channels summed side by side: enough for the compiler to use vectors, few enough for registers.
const BLOCK: usize = 16;

/// The mean of the values inside the input, rounded half away from zero, clamped.
///
/// `input` is `[in height][in width][channels]`, `output` `[out height][out width][channels]`.
pub fn average_pool(op: &Pool, input: &[i8], output: &mut [i8]) {
    for (position, pixel) in positions(op, output) {
        let window = window(op, input, position);
        let count = window.clone().count() as i32;
        for (block, outputs) in pixel.chunks_mut(BLOCK).enumerate() {
            let mut sums = [0; BLOCK];
            for values in window.clone() {
                let values = part(values, block * BLOCK, outputs.len());
                for (sum, &value) in sums.iter_mut().zip(values) {
                    *sum += i32::from(value);
                }
            }
            for (out, sum) in outputs.iter_mut().zip(sums) {
                *out = op.activation.clamp(mean(sum, count).into());
            }
        }
    }
}

/// `sum / count`, rounded half away from zero.
fn mean(sum: i32, count: i32) -> i32 {
    let half = if sum > 0 { count / 2 } else { -(count / 2) };
    (sum + half).checked_div(count).unwrap_or(0)
}

/// The largest of the values inside the input, clamped; shapes as of [`average_pool`].
pub fn max_pool(op: &Pool, input: &[i8], output: &mut [i8]) {
    for (position, pixel) in positions(op, output) {
        pixel.fill(op.activation.min);
        for values in window(op, input, position) {
            for (out, &value) in pixel.iter_mut().zip(values) {
                *out = value.max(*out).min(op.activation.max);
            }
        }
    }
}

/// Row, column and channels of every output pixel.
fn positions<'a>(op: &Pool, output: &'a mut [i8]) -> impl Iterator<Item = ([usize; 2], &'a mut [i8])> {
    let [width, channels] = [op.output.shape.width, op.output.shape.channels].map(usize::from);
    let rows = output.chunks_exact_mut((width * channels).max(1)).enumerate();
    rows.flat_map(move |(y, row)| {
        row.chunks_exact_mut(channels.max(1)).enumerate().map(move |(x, pixel)| ([y, x], pixel))
    })
}

/// The channels of every input pixel that the window of an output position meets, at least one.
fn window<'a>(op: &Pool, input: &'a [i8], position: [usize; 2]) -> impl Iterator<Item = &'a [i8]> + Clone {
    let [height, width, channels] =
        [op.input.shape.height, op.input.shape.width, op.input.shape.channels].map(usize::from);
    let (top, rows) = op.window.clip(0, position[0], height);
    let (left, columns) = op.window.clip(1, position[1], width);
    (top..top + rows.len()).flat_map(move |row| {
        part(input, (row * width + left) * channels, columns.len() * channels).chunks_exact(channels.max(1))
    })
}
