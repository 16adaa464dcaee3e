//! From sums to int8, 16 at a time.

use super::first;
use crate::fixed_point::{Activation, Multiplier};
use crate::operator::PerChannel;
use core::arch::x86_64::*;

/// The multipliers of 16 lanes, all below 1/4.
///
/// With `n = 31 - shift >= 33`, `floor((x * mantissa + 2^(n-1)) / 2^n)` is the high half of the product, plus `2^(n-33)`,
/// shifted right by `n - 32`: what the low half holds cannot reach the rounding bit.
#[derive(Clone, Copy)]
pub(super) struct Rescale {
    mantissa: __m512i,
    /// The mantissas of the odd lanes in the even ones.
    odd: __m512i,
    half: __m512i,
    right: __m512i,
}

impl Rescale {
    /// Whether a multiplier is small enough.
    pub const fn is_exact(multiplier: Multiplier) -> bool {
        multiplier.shift <= PerChannel::SMALL_SHIFT
    }

    /// One multiplier for all lanes.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn all(multiplier: Multiplier) -> Self {
        Self::new(_mm512_set1_epi32(multiplier.mantissa), _mm512_set1_epi32(multiplier.shift.into()))
    }

    /// The multipliers of `count` channels from `channel` on, at most 16; 0 in the other lanes.
    ///
    /// # Safety
    /// There are as many channels.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub unsafe fn load(channels: &PerChannel<'_>, channel: usize, count: usize) -> Self {
        // SAFETY: the lanes that are loaded are those of channels that exist.
        let (mantissa, shift) = unsafe {
            let mantissa = channels.mantissa.as_ptr().add(channel).cast();
            let shift = channels.shift.as_ptr().add(channel);
            (_mm512_maskz_loadu_epi32(first(count), mantissa), _mm_maskz_loadu_epi8(first(count), shift))
        };
        let none = _mm_set1_epi8(PerChannel::SMALL_SHIFT);
        Self::new(mantissa, _mm512_cvtepi8_epi32(_mm_mask_mov_epi8(none, first(count), shift)))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn new(mantissa: __m512i, shift: __m512i) -> Self {
        // n - 32
        let right = _mm512_sub_epi32(_mm512_set1_epi32(-1), shift);
        let half = _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_sub_epi32(right, _mm512_set1_epi32(1)));
        Self { mantissa, odd: _mm512_srli_epi64::<32>(mantissa), half, right }
    }

    /// `floor(x * m + 1/2)`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn apply(&self, x: __m512i) -> __m512i {
        const EVEN: u16 = 0x5555;
        let even = _mm512_mul_epi32(x, self.mantissa);
        let odd = _mm512_mul_epi32(_mm512_srli_epi64::<32>(x), self.odd);
        let high = _mm512_mask_shuffle_epi32::<0b11_11_01_01>(odd, EVEN, even);
        _mm512_srav_epi32(_mm512_add_epi32(high, self.half), self.right)
    }
}

/// The end of an output: zero point and clamp.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    zero_point: __m512i,
    min: __m128i,
    max: __m128i,
}

impl Finish {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn new(zero_point: i8, activation: Activation) -> Self {
        Self {
            zero_point: _mm512_set1_epi32(zero_point.into()),
            min: _mm_set1_epi8(activation.min),
            max: _mm_set1_epi8(activation.max),
        }
    }

    /// `x` plus the zero point, clamped.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn apply(&self, x: __m512i) -> __m128i {
        let value = _mm512_cvtsepi32_epi8(_mm512_add_epi32(x, self.zero_point));
        _mm_min_epi8(_mm_max_epi8(value, self.min), self.max)
    }
}
