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
mod gather;
mod instructions;
mod mean;
mod multiply;
mod product;
mod widen;

use crate::kernels::arithmetic::{Kernels, convolve_patches, each_row};
use crate::kernels::rows::Rows;
use crate::kernels::{scalar, shapes};
use crate::operator::{Add, Convolution, Kinds, Matrix, Mean, UNUSUAL, has};
use core::ops::Range;
use product::{wide_len, words};

/// The kernel set, for some kinds of operators: where none has an unusual form, the scalar kernels are not part of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dsp<const KINDS: Kinds>;

impl<const KINDS: Kinds> Kernels for Dsp<KINDS> {
    #[inline(never)]
    fn product(self, op: &Matrix<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i8]) {
        let wide = words(scratch);
        if shapes::is_matrix(op) && wide.len() >= wide_len(op.depth) {
            product::product(op, input, output, wide);
        } else if has(KINDS, UNUSUAL) {
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
        let is_matrix = shapes::is_matrix(&matrix);
        each_row(&op.output, rows, output, |y, row| {
            let done = is_matrix && convolution::convolution(op, &matrix, input, y, row, words(scratch));
            if !done && has(KINDS, UNUSUAL) {
                convolve_patches(self, op, input, y..y.wrapping_add(1), row, scratch);
            }
        });
    }

    fn depthwise(
        self,
        op: &Convolution<'_>,
        input: Rows<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        let words = words(scratch);
        let filter = depthwise::fits(op, &rows, output, words);
        let any = has(KINDS, UNUSUAL) && !filter && depthwise_any::fits(op, output, words);
        each_row(&op.output, rows, output, |y, row| {
            if filter {
                depthwise::depthwise(op, input, y, row, words);
            } else if any {
                depthwise_any::depthwise(op, input, y, row, words);
            } else if has(KINDS, UNUSUAL) {
                scalar::depthwise(op, input, y, row);
            }
        });
    }

    fn add(self, op: &Add, second: &[i8], values: &mut [i8]) {
        if !add::add(op, second, values) && has(KINDS, UNUSUAL) {
            scalar::add(op, second, values);
        }
    }

    fn mean(self, op: &Mean, input: &[i8], output: &mut [i8]) {
        if !mean::mean(op, input, output) && has(KINDS, UNUSUAL) {
            scalar::mean(op, input, output);
        }
    }
}
