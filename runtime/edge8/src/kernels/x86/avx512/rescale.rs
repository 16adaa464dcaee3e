//! From sums to int8, 16 at a time.

use super::lanes::{first, twice};
use crate::fixed_point::{Activation, Multiplier};
use crate::operator::PerChannel;
use core::arch::asm;
use core::arch::x86_64::*;

/// The multipliers of 16 lanes, all below 1/4.
///
/// With `n = 31 - shift >= 33`, `floor(2 x m)` is the high half of `x * mantissa`, shifted right by `n - 33`: what the low
/// half holds cannot reach it. `floor(x m + 1/2)` is half of that plus 1, see [`Finish`].
#[derive(Clone, Copy)]
pub(super) struct Rescale {
    mantissa: __m512i,
    /// The mantissas of the odd lanes in the even ones.
    odd: __m512i,
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
    pub fn new(mantissa: __m512i, shift: __m512i) -> Self {
        // n - 33
        let right = _mm512_sub_epi32(_mm512_set1_epi32(PerChannel::SMALL_SHIFT.into()), shift);
        Self { mantissa, odd: _mm512_srli_epi64::<32>(mantissa), right }
    }

    /// The multipliers of the first 8 lanes once more in the others.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn twice(&self) -> Self {
        Self { mantissa: twice(self.mantissa), odd: twice(self.odd), right: twice(self.right) }
    }

    /// `floor(2 x m)`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn apply(&self, x: __m512i) -> __m512i {
        let even = _mm512_mul_epi32(x, self.mantissa);
        let odd = _mm512_mul_epi32(_mm512_srli_epi64::<32>(x), self.odd);
        _mm512_srav_epi32(high_halves(even, odd), self.right)
    }
}

/// The high halves of products of the even and of the odd lanes.
///
/// In assembly, for the compiler would take a shuffle of two registers, which takes three times as long.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn high_halves(even: __m512i, odd: __m512i) -> __m512i {
    let mut high = odd;
    // SAFETY: works on registers alone.
    unsafe {
        asm!(
            "vmovshdup {high}{{{lanes}}}, {even}",
            high = inout(zmm_reg) high,
            even = in(zmm_reg) even,
            lanes = in(kreg) 0x5555u16,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    high
}

/// One multiplier of any size for all lanes, in 64 bits.
#[derive(Clone, Copy)]
pub(super) struct RescaleAny {
    mantissa: __m512i,
    half: __m512i,
    right: __m128i,
}

impl RescaleAny {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn new(multiplier: Multiplier) -> Self {
        let right = 31 - i64::from(multiplier.shift);
        Self {
            mantissa: _mm512_set1_epi64(multiplier.mantissa.into()),
            half: _mm512_set1_epi64(1 << (right - 1)),
            right: _mm_set_epi64x(0, right),
        }
    }

    /// `floor(x * m + 1/2)` of the even lanes, 64 bits wide.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn apply_even(&self, x: __m512i) -> __m512i {
        _mm512_sra_epi64(_mm512_add_epi64(_mm512_mul_epi32(x, self.mantissa), self.half), self.right)
    }
}

/// The end of an output: rounding, zero point and clamp.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    zero_point: __m512i,
    min: __m512i,
    max: __m512i,
}

impl Finish {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn new(zero_point: i8, activation: Activation) -> Self {
        Self {
            zero_point: _mm512_set1_epi16(zero_point.into()),
            min: _mm512_set1_epi8(activation.min),
            max: _mm512_set1_epi8(activation.max),
        }
    }

    /// Four times 16 values `floor(2 x m)`, rounded, plus the zero point, clamped, one after the other.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn apply(&self, values: [__m512i; 4]) -> __m512i {
        let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        _mm512_permutexvar_epi32(order, self.apply_in_place(values))
    }

    /// As [`apply`](Self::apply), in the order that packing leaves: by fours in turn in each quarter.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn apply_in_place(&self, [a, b, c, d]: [__m512i; 4]) -> __m512i {
        // Saturation on the way changes nothing: what it cuts off is beyond the clamp with and without the zero point.
        let (ab, cd) = (self.round(_mm512_packs_epi32(a, b)), self.round(_mm512_packs_epi32(c, d)));
        self.clamp(_mm512_packs_epi16(ab, cd))
    }

    /// `(2x + 1) / 2`, rounded down, plus the zero point: `(2x * 2^14 + 2^14) / 2^15`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn round(&self, twice: __m512i) -> __m512i {
        _mm512_adds_epi16(_mm512_mulhrs_epi16(twice, _mm512_set1_epi16(1 << 14)), self.zero_point)
    }

    /// 16 rescaled values of any size plus the zero point, clamped.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn apply_any(&self, rescale: &RescaleAny, x: __m512i) -> __m128i {
        let zero_point = _mm512_cvtepi16_epi64(_mm512_castsi512_si128(self.zero_point));
        let even = _mm512_add_epi64(rescale.apply_even(x), zero_point);
        let odd = _mm512_add_epi64(rescale.apply_even(_mm512_srli_epi64::<32>(x)), zero_point);
        let value = _mm_unpacklo_epi8(_mm512_cvtsepi64_epi8(even), _mm512_cvtsepi64_epi8(odd));
        _mm512_castsi512_si128(self.clamp(_mm512_castsi128_si512(value)))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn clamp(&self, value: __m512i) -> __m512i {
        _mm512_min_epi8(_mm512_max_epi8(value, self.min), self.max)
    }
}
