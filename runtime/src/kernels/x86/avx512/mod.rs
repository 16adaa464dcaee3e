//! AVX-512 with VNNI: 16 output channels, or 16 values, at a time.
//!
//! `vpdpbusd` multiplies unsigned by signed bytes. Inputs become unsigned by adding 128, that is by flipping their top bit;
//! 128 times the sum of the weights leaves the bias.

mod add;
mod depthwise;
mod mean;
mod product;
mod rescale;

use crate::kernels::{Kernels, Rows, scalar};
use crate::operator::{Add, Convolution, Matrix, Mean};
use rescale::Rescale;

/// The kernel set; to be used where [`KernelSet::is_available`](crate::kernels::KernelSet::is_available) says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512Vnni;

/// Values, or channels, in a register of 32-bit lanes.
const LANES: usize = 16;

/// The lanes that hold the first `count` values.
const fn first(count: usize) -> u16 {
    if count >= LANES { u16::MAX } else { (1u16 << count).wrapping_sub(1) }
}

// SAFETY of every call in here: the engine dispatches to this set only where the processor has its features.
impl Kernels for Avx512Vnni {
    fn product(op: &Matrix<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i8]) {
        let _ = scratch;
        if product::fits(op) {
            // SAFETY: see above.
            unsafe { product::product(op, input, output) };
        } else {
            scalar::product(op, input, output);
        }
    }

    fn depthwise(op: &Convolution<'_>, input: Rows<'_>, y: usize, output: &mut [i8], scratch: &mut [i8]) {
        let _ = scratch;
        if depthwise::fits(op, output) {
            // SAFETY: see above.
            unsafe { depthwise::depthwise(op, input, y, output) };
        } else {
            scalar::depthwise(op, input, y, output);
        }
    }

    fn add(op: &Add, second: &[i8], values: &mut [i8]) {
        if Rescale::is_exact(op.multiplier) && second.len() == values.len() {
            // SAFETY: see above.
            unsafe { add::add(op, second, values) };
        } else {
            scalar::add(op, second, values);
        }
    }

    fn mean(op: &Mean, input: &[i8], output: &mut [i8]) {
        if Rescale::is_exact(op.multiplier) {
            // SAFETY: see above.
            unsafe { mean::mean(op, input, output) };
        } else {
            scalar::mean(op, input, output);
        }
    }
}
