//! Convolution of any window: a product of patches that are widened where they are gathered.

use super::product::{blocks, multiply_widened, wide_len};
use super::{clamp, gather};
use crate::kernels::rows::Rows;
use crate::operator::{Convolution, Matrix};
use crate::packing::GROUP;

/// Row `y` of a convolution whose matrix [fits](crate::kernels::shapes::is_matrix): as many patches at once as there is room
/// for; whether there was room for one.
pub(super) fn convolution(
    op: &Convolution<'_>,
    matrix: &Matrix<'_>,
    input: Rows<'_>,
    y: usize,
    output: &mut [i8],
    scratch: &mut [u32],
) -> bool {
    let columns = output.len() / matrix.outputs().max(1);
    let mut row = Row { op, matrix, input, y, columns, output, scratch, x: 0 };
    blocks(|count| row.blocks(count));
    let done = row.x == columns;
    clamp::clamp(op.activation, output);
    done
}

/// A row of outputs of which those before column `x` are computed.
struct Row<'a, 'b> {
    op: &'a Convolution<'b>,
    matrix: &'a Matrix<'b>,
    input: Rows<'a>,
    y: usize,
    columns: usize,
    output: &'a mut [i8],
    scratch: &'a mut [u32],
    x: usize,
}

impl Row<'_, '_> {
    /// Whole blocks of so many patches, if there is room for one.
    fn blocks(&mut self, count: usize) {
        let depth = self.matrix.depth;
        let len = count.wrapping_mul(wide_len(depth));
        let staged = if gather::must_stage(self.op) { count.wrapping_mul(depth) / GROUP } else { 0 };
        if self.scratch.len() < len.saturating_add(staged) {
            return;
        }
        while self.columns - self.x >= count {
            let wide = self.scratch.as_mut_ptr();
            // SAFETY: there is room for the patches, twice if they are staged, and the row has the outputs of these columns.
            unsafe {
                let stage = wide.wrapping_add(len).cast();
                gather::gather(self.op, self.input, [self.y, self.x], count, wide, stage);
                let to = self.output.as_mut_ptr().add(self.x * self.matrix.outputs());
                multiply_widened(self.matrix, count, wide, to);
            }
            self.x += count;
        }
    }
}
