//! What a kernel set computes, and the set that every other one falls back to.

use super::patch::gather;
use super::rows::Rows;
use super::scalar;
use crate::operator::{Add, Constant, Convolution, Matrix, Mean, Pad, Pool, Softmax, Table};
use crate::slices::not_unrolled;
use crate::tensor::Tensor;
use core::ops::Range;

/// What a kernel set computes.
///
/// Slices have exactly the lengths that the operator's shapes say, channels last; the operator is one of a parsed
/// [`Model`](crate::Model). `scratch` has at least the bytes that the operator's `scratch_len` says; what they hold does
/// not matter. Every method has the scalar kernel as its default, so that a set states only what it does better.
pub(crate) trait Kernels: Copy {
    /// A matrix times each of some patches, `input` is `[patches][depth]`, `output` `[patches][outputs]`. Scratch: 2 bytes
    /// for each value of a patch, of two patches where there are more.
    fn product(self, op: &Matrix<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i8]) {
        let _ = scratch;
        scalar::product(op, input, output);
    }

    /// Some rows of a convolution of any window.
    fn convolution(
        self,
        op: &Convolution<'_>,
        input: Rows<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        convolve_patches(self, op, input, rows, output, scratch);
    }

    /// Some rows of a depthwise convolution of any window and depth multiplier.
    fn depthwise(
        self,
        op: &Convolution<'_>,
        input: Rows<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        let _ = scratch;
        each_row(&op.output, rows, output, |y, row| scalar::depthwise(op, input, y, row));
    }

    /// Elementwise sum in place: `values` holds the first input and takes the output. `second` is as long, or shorter and
    /// repeated.
    fn add(self, op: &Add, second: &[i8], values: &mut [i8]) {
        scalar::add(op, second, values);
    }

    /// Mean over height and width.
    fn mean(self, op: &Mean, input: &[i8], output: &mut [i8]) {
        scalar::mean(op, input, output);
    }

    /// Softmax over the channels in place: `values` holds the input and takes the output.
    fn softmax(self, op: &Softmax, values: &mut [i8]) {
        scalar::softmax(op, values);
    }

    /// Row `y` of a mean over a window.
    fn average_pool(self, op: &Pool, input: Rows<'_>, y: usize, output: &mut [i8]) {
        scalar::average_pool(op, input, y, output);
    }

    /// Row `y` of the largest values of a window.
    fn max_pool(self, op: &Pool, input: Rows<'_>, y: usize, output: &mut [i8]) {
        scalar::max_pool(op, input, y, output);
    }

    /// A border of zero points.
    fn pad(self, op: &Pad, input: &[i8], output: &mut [i8]) {
        scalar::pad(op, input, output);
    }

    /// A look-up in a table in place: `values` holds the input and takes the output.
    fn table(self, op: &Table<'_>, values: &mut [i8]) {
        for value in values {
            not_unrolled();
            *value = op.values[usize::from((*value as u8) ^ 0x80)];
        }
    }

    /// Values from the image.
    fn constant(self, op: &Constant<'_>, output: &mut [i8]) {
        scalar::constant(op, output);
    }
}

/// The scalar kernel set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scalar;

impl Kernels for Scalar {}

/// Calls `compute` with the number and the values of each row.
pub(crate) fn each_row(
    output: &Tensor,
    rows: Range<usize>,
    values: &mut [i8],
    mut compute: impl FnMut(usize, &mut [i8]),
) {
    for (y, row) in rows.zip(values.chunks_exact_mut(output.row_len().max(1))) {
        compute(y, row);
    }
}

/// A convolution as a product: patches are gathered in the scratch bytes, as many of a row as fit.
#[cfg_attr(device, inline(never))]
pub(crate) fn convolve_patches<K: Kernels>(
    kernels: K,
    op: &Convolution<'_>,
    input: Rows<'_>,
    rows: Range<usize>,
    output: &mut [i8],
    scratch: &mut [i8],
) {
    let (matrix, outputs) = (op.matrix(), usize::from(op.output.shape.channels));
    let many = scratch.len().checked_div(matrix.depth).unwrap_or(0).max(1);
    each_row(&op.output, rows, output, |y, row| {
        for (index, pixels) in row.chunks_mut(many.wrapping_mul(outputs).max(1)).enumerate() {
            let count = pixels.len().checked_div(outputs).unwrap_or(0);
            let used = scratch.get_mut(..count.wrapping_mul(matrix.depth)).unwrap_or(&mut []);
            for (pixel, patch) in used.chunks_exact_mut(matrix.depth.max(1)).enumerate() {
                gather(op, input, [y, index.wrapping_mul(many).wrapping_add(pixel)], patch);
            }
            kernels.product(&matrix, used, pixels, &mut []);
        }
    });
}
