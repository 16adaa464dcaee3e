//! A border of zero points.

use crate::operator::Pad;
use crate::slices::copy;

/// The input `[in height][in width][in]` inside an output `[out height][out width][out]` of zero points.
pub fn pad(op: &Pad, input: &[i8], output: &mut [i8]) {
    let [above, left, before] = op.before.map(usize::from);
    let [inputs, outputs] = [op.input, op.output].map(|tensor| usize::from(tensor.shape.channels).max(1));
    let [columns_in, columns_out] =
        [op.input, op.output].map(|tensor| usize::from(tensor.shape.width).max(1));
    output.fill(op.output.zero_point);
    let rows = output.chunks_exact_mut(columns_out * outputs).skip(above);
    for (row, from) in rows.zip(input.chunks_exact(columns_in * inputs)) {
        let pixels = row.chunks_exact_mut(outputs).skip(left);
        for (pixel, from) in pixels.zip(from.chunks_exact(inputs)) {
            copy(pixel.get_mut(before..).unwrap_or(&mut []), from);
        }
    }
}
