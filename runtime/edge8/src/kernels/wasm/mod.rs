//! WebAssembly with 128-bit vectors (`-C target-feature=+simd128`): 8 output channels, or 16 values, at a time.
//!
//! Bytes are widened to 16 bits and multiplied in pairs by `i32x4.dot_i16x8_s`, which cannot overflow.

mod add;
mod depthwise;
mod mean;
mod product;
mod rescale;

use crate::kernels::arithmetic::{Kernels, Scalar, convolve_patches, each_row};
use crate::kernels::rows::Rows;
use crate::kernels::{patches, scalar, shapes};
use crate::operator::{Add, Convolution, Matrix, Mean};
use core::ops::Range;

/// The kernel set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Simd128;

impl Kernels for Simd128 {
    fn product(self, op: &Matrix<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i8]) {
        let _ = scratch;
        if shapes::is_product(op) {
            product::product(op, input, output);
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
            patches::each_chunk(op, input, rows, output, false, |patches, output| {
                // SAFETY: the patches lie side by side.
                let patches = unsafe { patches.bytes() };
                product::product(&matrix, crate::cast::as_i8(patches), output);
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
        if usize::from(op.output.shape.channels) >= depthwise::STEP && shapes::is_depthwise(op, &rows, output)
        {
            each_row(&op.output, rows, output, |y, row| depthwise::depthwise(op, input, y, row));
        } else {
            Scalar.depthwise(op, input, rows, output, scratch);
        }
    }

    fn add(self, op: &Add, second: &[i8], values: &mut [i8]) {
        if add::fits(op, second, values) {
            add::add(op, second, values);
        } else {
            scalar::add(op, second, values);
        }
    }

    fn mean(self, op: &Mean, input: &[i8], output: &mut [i8]) {
        match shapes::mean_shift(op) {
            Some(left) if output.len() >= mean::STEP => mean::mean(op, left, input, output),
            _ => scalar::mean(op, input, output),
        }
    }
}
