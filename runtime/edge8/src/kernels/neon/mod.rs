//! AArch64: 16 output channels at a time, with `sdot` where the processor has it.

mod add;
mod depthwise;
mod dot;
mod mean;
mod plain;
mod pool;
mod product;
mod rescale;
mod store;

use crate::cast;
use crate::kernels::arithmetic::{Kernels, Scalar, convolve_patches, each_row};
use crate::kernels::patches::{self, Patches};
use crate::kernels::rows::Rows;
use crate::kernels::{scalar, shapes};
use crate::operator::{Add, Convolution, Matrix, Mean, Pool};
use core::ops::Range;
use dot::Dot;
use plain::Plain;
use product::Multiply;

/// The kernel set for every AArch64 processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Neon(());

/// The kernel set for processors with the dot product instructions (`asimddp`): there is one only where these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NeonDot(());

impl Neon {
    /// The token; Miri has no such processor.
    pub(crate) fn detect() -> Option<Self> {
        (!cfg!(miri)).then_some(Self(()))
    }
}

impl NeonDot {
    /// The token, if the processor has the instructions: known when this is compiled, or asked where the standard library is
    /// there to ask.
    pub(crate) fn detect() -> Option<Self> {
        #[cfg(feature = "std")]
        let asked = std::arch::is_aarch64_feature_detected!("dotprod");
        #[cfg(not(feature = "std"))]
        let asked = false;
        (!cfg!(miri) && (cfg!(target_feature = "dotprod") || asked)).then_some(Self(()))
    }
}

/// Some rows of a convolution.
///
/// # Safety
/// The processor has what `M` is for.
unsafe fn convolution<M: Multiply>(
    op: &Convolution<'_>,
    input: Rows<'_>,
    rows: Range<usize>,
    output: &mut [i8],
) {
    let matrix = op.matrix();
    patches::each_chunk(op, input, rows, output, true, |patches, output| {
        // SAFETY: see above; the patches are there, and as long as the matrix is deep.
        unsafe { product::product::<M>(&matrix, patches, output) };
    });
}

/// A kernel set of products and filters by `$how`.
macro_rules! kernels {
    ($set:ty, $how:ty) => {
        // SAFETY of every call in here: `self` is there only where the processor has the instructions.
        impl Kernels for $set {
            fn product(self, op: &Matrix<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i8]) {
                let _ = scratch;
                if shapes::is_product(op) {
                    // SAFETY: see above.
                    unsafe {
                        product::product::<$how>(
                            op,
                            Patches::side_by_side(cast::as_u8(input), op.depth),
                            output,
                        )
                    };
                } else {
                    scalar::product(op, input, output);
                }
            }

            fn convolution(
                self,
                op: &Convolution<'_>,
                input: Rows<'_>,
                rows: Range<usize>,
                output: &mut [i8],
                scratch: &mut [i8],
            ) {
                if shapes::is_product(&op.matrix()) && patches::fit(op) {
                    // SAFETY: see above.
                    unsafe { convolution::<$how>(op, input, rows, output) };
                } else {
                    convolve_patches(self, op, input, rows, output, scratch);
                }
            }

            fn depthwise(
                self,
                op: &Convolution<'_>,
                input: Rows<'_>,
                rows: Range<usize>,
                output: &mut [i8],
                scratch: &mut [i8],
            ) {
                if depthwise::fits(op, &rows, output) {
                    each_row(&op.output, rows, output, |y, row| {
                        // SAFETY: see above.
                        unsafe { depthwise::depthwise::<$how>(op, input, y, row) };
                    });
                } else {
                    Scalar.depthwise(op, input, rows, output, scratch);
                }
            }

            fn add(self, op: &Add, second: &[i8], values: &mut [i8]) {
                if add::fits(op, second, values) {
                    // SAFETY: see above.
                    unsafe { add::add(op, second, values) };
                } else {
                    scalar::add(op, second, values);
                }
            }

            fn average_pool(self, op: &Pool, input: Rows<'_>, y: usize, output: &mut [i8]) {
                if pool::fits(op) {
                    // SAFETY: see above.
                    unsafe { pool::average_pool(op, input, y, output) };
                } else {
                    scalar::average_pool(op, input, y, output);
                }
            }

            fn mean(self, op: &Mean, input: &[i8], output: &mut [i8]) {
                if mean::fits(op, output) {
                    // SAFETY: see above.
                    unsafe { mean::mean(op, input, output) };
                } else {
                    scalar::mean(op, input, output);
                }
            }
        }
    };
}

kernels!(Neon, Plain);
kernels!(NeonDot, Dot);
