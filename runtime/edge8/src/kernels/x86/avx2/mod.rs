//! AVX2: 8 output channels, or 8 values, at a time.

mod add;
mod depthwise;
mod filter;
mod mean;
mod narrow;
mod product;
mod rescale;
mod store;

use super::detect::has_avx2;
use crate::cast;
use crate::kernels::arithmetic::{Kernels, Scalar, convolve_patches};
use crate::kernels::patches::{self, Patches};
use crate::kernels::rows::Rows;
use crate::kernels::{scalar, shapes};
use crate::operator::{Add, Convolution, Matrix, Mean, PerChannel};
use core::ops::Range;

/// The kernel set: there is one only where the processor has AVX2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The token, if the processor has AVX2.
    pub(crate) fn detect() -> Option<Self> {
        (!cfg!(miri) && has_avx2()).then_some(Self(()))
    }
}

// SAFETY of every call in here: `self` is there only where the processor has AVX2.
impl Kernels for Avx2 {
    fn product(self, op: &Matrix<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i8]) {
        let _ = scratch;
        if shapes::is_product(op) {
            // SAFETY: see above.
            unsafe { product::product(op, Patches::side_by_side(cast::as_u8(input), op.depth), output) };
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
        let matrix = op.matrix();
        if shapes::is_product(&matrix) && patches::fit(op) {
            patches::each_chunk(op, input, rows, output, true, |patches, output| {
                // SAFETY: see above.
                unsafe { product::product(&matrix, patches, output) }
            });
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
        let channels = usize::from(op.output.shape.channels);
        if channels >= narrow::STEP && shapes::is_depthwise(op, &rows, output) {
            // SAFETY: see above.
            unsafe {
                if channels >= depthwise::STEP {
                    depthwise::depthwise(op, input, rows, output);
                } else {
                    narrow::depthwise(op, input, rows, output);
                }
            }
        } else {
            Scalar.depthwise(op, input, rows, output, scratch);
        }
    }

    fn add(self, op: &Add, second: &[i8], values: &mut [i8]) {
        if op.multiplier.shift <= PerChannel::SMALL_SHIFT && second.len() == values.len() {
            // SAFETY: see above.
            unsafe { add::add(op, second, values) };
        } else {
            scalar::add(op, second, values);
        }
    }

    fn mean(self, op: &Mean, input: &[i8], output: &mut [i8]) {
        if let Some(left) = shapes::mean_shift(op).filter(|_| output.len() >= mean::STEP) {
            // SAFETY: see above.
            unsafe { mean::mean(op, left, input, output) };
        } else {
            scalar::mean(op, input, output);
        }
    }
}
