//! AVX-512 with VNNI: 16 output channels, or 16 values, at a time.
//!
//! `vpdpbusd` multiplies unsigned by signed bytes. Inputs become unsigned by adding 128, that is by flipping their top bit;
//! 128 times the sum of the weights leaves the bias.
//!
//! Rows are read soon after they were written: a load that spans two stores waits for both. So stores are as wide as can
//! be, and loads no wider.

mod add;
mod depthwise;
mod mean;
mod narrow;
mod product;
mod rescale;

use super::detect::has_avx512_vnni;
use super::{patches, shapes};
use crate::cast;
use crate::kernels::patches::Patches;
use crate::kernels::scalar::{self, Scalar};
use crate::kernels::{KernelSet, Kernels, Rows, Set, convolve_patches};
use crate::operator::{Add, Convolution, Matrix, Mean};
use core::arch::x86_64::*;
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

/// Values, or channels, in a register of 32-bit lanes.
const LANES: usize = 16;

/// The first values of 16, at most as many as the mask has lanes; zeros in the others.
///
/// # Safety
/// There are as many.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn load(from: *const i8, mask: u16) -> __m128i {
    // SAFETY: the values are there. Masks are slow on some processors, and mostly full.
    unsafe { if mask == u16::MAX { _mm_loadu_si128(from.cast()) } else { _mm_maskz_loadu_epi8(mask, from) } }
}

/// Stores as many values as the mask has lanes.
///
/// # Safety
/// There is room.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn store(to: *mut i8, mask: u16, values: __m128i) {
    // SAFETY: there is room. Masks are slow on some processors, and mostly full.
    unsafe {
        if mask == u16::MAX {
            _mm_storeu_si128(to.cast(), values)
        } else {
            _mm_mask_storeu_epi8(to, mask, values)
        }
    }
}

/// Stores the four quarters of a register where `to` says, `count` values of each; as many quarters as there are places.
///
/// # Safety
/// There is room.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn scatter<const N: usize>(to: [*mut i8; N], count: usize, values: __m512i) {
    let quarters = [
        _mm512_castsi512_si128(values),
        _mm512_extracti32x4_epi32::<1>(values),
        _mm512_extracti32x4_epi32::<2>(values),
        _mm512_extracti32x4_epi32::<3>(values),
    ];
    for index in 0..N {
        // SAFETY: there is room.
        unsafe {
            match count {
                8 => _mm_storel_epi64(to[index].cast(), quarters[index]),
                count => store(to[index], first(count), quarters[index]),
            }
        }
    }
}

/// The first half of a register in both halves.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn twice(half: __m512i) -> __m512i {
    _mm512_shuffle_i64x2::<0b01_00_01_00>(half, half)
}

/// The lanes that hold the first `count` values.
const fn first(count: usize) -> u16 {
    if count >= LANES { u16::MAX } else { (1u16 << count).wrapping_sub(1) }
}

/// A mask of the first `count` bytes of 64.
const fn first_bytes(count: usize) -> u64 {
    if count >= 4 * LANES { u64::MAX } else { (1u64 << count).wrapping_sub(1) }
}

// SAFETY of every call in here: `self` is there only where the processor has the features.
impl Kernels for Avx512Vnni {
    fn of(set: KernelSet) -> Option<Self> {
        match set.set() {
            Set::Avx512Vnni(token) => Some(token),
            _ => None,
        }
    }

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
