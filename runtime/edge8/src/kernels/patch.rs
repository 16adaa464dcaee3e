//! The values of the input that one output of a convolution depends on, side by side.

use super::rows::Rows;
use crate::operator::Convolution;
use crate::slices::{copy, part};

/// Copies the patch of the output at row `y`, column `x`: `[kernel row][kernel column][in]`, the input's zero point where
/// the kernel reaches beyond it. What `patch` has beyond that meets weights of zero and is left as it is.
pub fn gather(op: &Convolution<'_>, input: Rows<'_>, [y, x]: [usize; 2], patch: &mut [i8]) {
    let [height, width, depth] =
        [op.input.shape.height, op.input.shape.width, op.input.shape.channels].map(usize::from);
    let (top, rows) = op.window.clip(0, y, height);
    let (left, columns) = op.window.clip(1, x, width);
    let row_len = usize::from(op.window.kernel[1]).wrapping_mul(depth).max(1);
    let whole =
        rows.len() == usize::from(op.window.kernel[0]) && columns.len() == usize::from(op.window.kernel[1]);
    if !whole {
        patch.fill(op.input.zero_point);
    }
    let inside = patch.chunks_mut(row_len).skip(rows.start).take(rows.len());
    for (tap, row) in inside.enumerate() {
        let values = part(
            input.row(top.wrapping_add(tap)),
            left.wrapping_mul(depth),
            columns.len().wrapping_mul(depth),
        );
        copy(row.get_mut(columns.start.wrapping_mul(depth)..).unwrap_or(&mut []), values);
    }
}
