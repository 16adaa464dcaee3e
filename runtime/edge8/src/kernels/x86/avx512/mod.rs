//! AVX-512 with VNNI: 16 output channels, or 16 values, at a time.
//!
//! `vpdpbusd` multiplies unsigned by signed bytes. Inputs become unsigned by adding 128, that is by flipping their top bit;
//! 128 times the sum of the weights leaves the bias.
//!
//! Rows are read soon after they were written: a load that spans two stores waits for both. So stores are as wide as can
//! be, and loads no wider.

mod add;
mod bias;
mod depthwise;
mod lanes;
mod mean;
mod narrow;
mod product;
mod rescale;

use super::detect::has_avx512_vnni;
use crate::cast;
use crate::kernels::arithmetic::{Kernels, Scalar, convolve_patches};
use crate::kernels::patches::{self, Patches};
use crate::kernels::rows::Rows;
use crate::kernels::{scalar, shapes};
use crate::operator::{Add, Convolution, Matrix, Mean};
use core::ops::Range;
use rescale::Rescale;

/// The kernel set: there is one only where the processor has AVX-512 F, BW, DQ, VL and VNNI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512Vnni(());

impl Avx512Vnni {
    /// The token, if the processor has them.
    pub(crate) fn detect() -> Option<Self> {
        (!cfg!(miri) && has_avx512_vnni()).then_some(Self(()))
    }
}

// SAFETY of every call in here: `self` is there only where the processor has the features.
impl Kernels for Avx512Vnni {
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
        if shapes::is_depthwise(op, &rows, output) {
            // SAFETY: see above.
            unsafe {
                if narrow::is_narrow(op) {
                    narrow::depthwise(op, input, rows, output);
                } else {
                    depthwise::depthwise(op, input, rows, output);
                }
            }
        } else {
            Scalar.depthwise(op, input, rows, output, scratch);
        }
    }

    fn add(self, op: &Add, second: &[i8], values: &mut [i8]) {
        if Rescale::is_exact(op.multiplier) && second.len() == values.len() {
            // SAFETY: see above.
            unsafe { add::add(op, second, values) };
        } else {
            scalar::add(op, second, values);
        }
    }

    fn mean(self, op: &Mean, input: &[i8], output: &mut [i8]) {
        // SAFETY: see above.
        unsafe { mean::mean(op, input, output) };
    }
}
