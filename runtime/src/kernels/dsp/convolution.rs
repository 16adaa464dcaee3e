//! Convolution of any window: a product of patches that are widened where they are gathered.

use super::product::{multiply_widened, wide_len};
use super::{clamp, widen};
use crate::cast;
use crate::kernels::{Rows, gather};
use crate::operator::Convolution;
use crate::packing::GROUP;

/// Row `y` of a convolution whose matrix [fits](crate::kernels::shapes::is_matrix): as many patches at once as there is room
/// for; whether there was room for one.
pub(super) fn convolution(
    op: &Convolution<'_>,
    input: Rows<'_>,
    y: usize,
    output: &mut [i8],
    scratch: &mut [u32],
) -> bool {
    let mut row = Row { op, input, y, output, scratch, x: 0 };
    row.blocks::<4>();
    row.blocks::<2>();
    row.blocks::<1>();
    let done = row.x == row.columns();
    clamp::clamp(op.activation, output);
    done
}

/// A row of outputs of which those before column `x` are computed.
struct Row<'a, 'b> {
    op: &'a Convolution<'b>,
    input: Rows<'a>,
    y: usize,
    output: &'a mut [i8],
    scratch: &'a mut [u32],
    x: usize,
}

impl Row<'_, '_> {
    /// Outputs of the row.
    fn columns(&self) -> usize {
        self.output.len() / usize::from(self.op.output.shape.channels).max(1)
    }

    /// Whole blocks of so many patches, if there is room for one.
    fn blocks<const PATCHES: usize>(&mut self) {
        let matrix = self.op.matrix();
        let columns = self.columns();
        let (x, y) = (self.x, self.y);
        let len = PATCHES.wrapping_mul(wide_len(matrix.depth));
        let Some((wide, staging)) = self.scratch.split_at_mut_checked(len) else { return };
        let pixels = columns.saturating_sub(x) / PATCHES;
        for block in 0..pixels {
            let x = x + block * PATCHES;
            for patch in 0..PATCHES {
                let wide = wide.get_mut(patch..).unwrap_or(&mut []);
                if !gather_wide::<PATCHES>(self.op, self.input, [y, x + patch], wide, staging) {
                    return;
                }
            }
            // SAFETY: the patches have been widened, and the row has the outputs of these columns.
            unsafe {
                let to = self.output.as_mut_ptr().add(x * matrix.outputs());
                multiply_widened::<PATCHES>(&matrix, wide.as_ptr(), to);
            }
            self.x = x + PATCHES;
        }
    }
}

/// Gathers a patch in the words of the staging and widens it; false where there is no room to.
fn gather_wide<const PATCHES: usize>(
    op: &Convolution<'_>,
    input: Rows<'_>,
    at: [usize; 2],
    wide: &mut [u32],
    staging: &mut [u32],
) -> bool {
    let groups = op.matrix().depth / GROUP;
    let Some(staging) = staging.get_mut(..groups) else { return false };
    let last = (groups * 2 - 1) * PATCHES;
    if wide.len() <= last {
        return false;
    }
    let patch = cast::words_as_i8_mut(staging);
    gather(op, input, at, patch);
    // SAFETY: the patch has as many groups, and the words room for their pairs, each `PATCHES` words from the one before.
    unsafe { widen::single::<PATCHES>(patch.as_ptr(), groups, wide.as_mut_ptr()) };
    true
}
