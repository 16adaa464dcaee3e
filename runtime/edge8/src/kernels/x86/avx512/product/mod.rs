//! A packed matrix times patches.

mod inputs;
mod pairs;
mod single;
mod tiles;

use super::lanes::LANES;
use crate::kernels::patches::Patches;
use crate::operator::Matrix;
use crate::packing::padded;
use pairs::PAIR;
use tiles::Tiles;

/// A matrix that [`is_product`](crate::kernels::shapes::is_product) times patches.
///
/// # Safety
/// The patches are there, each of `depth` bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub unsafe fn product(op: &Matrix<'_>, patches: Patches, output: &mut [i8]) {
    let count = patches.count.min(output.len() / op.outputs().max(1));
    let tiles = Tiles { op, input: Patches { count, ..patches }, output: output.as_mut_ptr() };
    // SAFETY: so many patches have their place in the output; see above.
    unsafe { tiles.run() };
}

impl Tiles<'_, '_> {
    /// # Safety
    /// `input` and `output` are as described, and the operator [`is_product`](crate::kernels::shapes::is_product).
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn run(&self) {
        let outputs = self.op.outputs();
        let mut output = 0;
        if self.input.count == 1 {
            // SAFETY: there is one patch.
            unsafe { self.single() };
            return;
        }
        // SAFETY: whole blocks as long as there are some, then the last one; see `tile`.
        unsafe {
            while output + 4 * LANES <= outputs {
                self.column::<4, 4>(output);
                output += 4 * LANES;
            }
            if output + 3 * LANES <= outputs {
                self.column::<6, 3>(output);
                output += 3 * LANES;
            }
            if output + 2 * LANES <= outputs {
                self.column::<8, 2>(output);
                output += 2 * LANES;
            }
            while output < outputs {
                match padded(outputs - output) {
                    PAIR => self.pairs(output),
                    _ => self.column::<8, 1>(output),
                }
                output += LANES;
            }
        }
    }
}
