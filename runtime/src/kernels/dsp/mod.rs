//! Cortex-M with the DSP instructions (Armv7E-M, Armv8-M): two products of 16 bits in one instruction, `smlad`.
//!
//! Values are widened to 16 bits once, in the scratch bytes; weights, which `sxtb16` widens two at a time in the order in which
//! they lie in flash, on the way. Weights, constants and activations may lie at any address: what loads them takes that.

mod add;
mod clamp;
mod convolution;
mod depthwise;
mod depthwise_any;
mod filter;
pub(crate) mod fold;
mod gather;
mod instructions;
mod mean;
mod multiply;
mod product;
mod widen;

use super::{Kernels, Rows, convolve_patches, each_row, scalar, shapes};
use crate::operator::{Add, Convolution, Matrix, Mean};
use core::ops::Range;
use product::{wide_len, words};

/// The kernel set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dsp;

impl Kernels for Dsp {
    fn product(op: &Matrix<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i8]) {
        let wide = words(scratch);
        if shapes::is_matrix(op) && wide.len() >= wide_len(op.depth) {
            product::product(op, input, output, wide);
        } else {
            scalar::product(op, input, output);
        }
    }

    fn convolution(
        op: &Convolution<'_>,
        input: Rows<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        let matrix = op.matrix();
        let is_matrix = shapes::is_matrix(&matrix);
        each_row(&op.output, rows, output, |y, row| {
            if !is_matrix || !convolution::convolution(op, &matrix, input, y, row, words(scratch)) {
                convolve_patches::<Self>(op, input, y..y.wrapping_add(1), row, scratch);
            }
        });
    }

    fn depthwise(
        op: &Convolution<'_>,
        input: Rows<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        let words = words(scratch);
        let (filter, any) =
            (depthwise::fits(op, &rows, output, words), depthwise_any::fits(op, output, words));
        each_row(&op.output, rows, output, |y, row| {
            if filter {
                depthwise::depthwise(op, input, y, row, words);
            } else if any {
                depthwise_any::depthwise(op, input, y, row, words);
            } else {
                scalar::depthwise(op, input, y, row);
            }
        });
    }

    fn add(op: &Add, second: &[i8], values: &mut [i8]) {
        if !add::add(op, second, values) {
            scalar::add(op, second, values);
        }
    }

    fn mean(op: &Mean, input: &[i8], output: &mut [i8]) {
        if !mean::mean(op, input, output) {
            scalar::mean(op, input, output);
        }
    }
}
