//! From sums to int8, 8 at a time.

use crate::fixed_point::{Activation, Multiplier};
use crate::operator::{PerChannel, Word};
use core::arch::asm;
use core::arch::x86_64::*;

/// The products of the even lanes, 64 bits wide.
///
/// `_mm256_mul_epi32` of a loop's constant becomes a sign extension before the loop and a multiplication of 64 bits in it,
/// which AVX2 does in three.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn multiply(a: __m256i, b: __m256i) -> __m256i {
    let products: __m256i;
    // SAFETY: the instruction is one of AVX2 and touches registers only.
    unsafe {
        asm!(
            "vpmuldq {}, {}, {}",
            lateout(ymm_reg) products, in(ymm_reg) a, in(ymm_reg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    products
}

/// Of 16 words the first and the third four (`half` 0), or the others (1): the order that [`Finish`] takes. Of 8 words, as
/// if they came twice.
///
/// # Safety
/// There are `COUNT`, 8 or 16.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn words<const COUNT: usize>(from: *const i8, half: usize) -> __m256i {
    // SAFETY: see above.
    unsafe {
        let low = from.add(16 * half);
        let high = if COUNT == 8 { low } else { low.add(32) };
        _mm256_loadu2_m128i(high.cast(), low.cast())
    }
}

/// The multipliers of 8 lanes, all below 1/4.
///
/// With `n = 31 - shift >= 33`, `floor(2 x m)` is the high half of `x * mantissa`, shifted right by `n - 33`: what the low
/// half holds cannot reach it. `floor(x m + 1/2)` is half of that plus 1, see [`Finish`].
#[derive(Clone, Copy)]
pub(super) struct Rescale {
    mantissa: __m256i,
    /// The mantissas of the odd lanes in the even ones.
    odd: __m256i,
    right: __m256i,
}

impl Rescale {
    /// One multiplier for all lanes.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn all(multiplier: Multiplier) -> Self {
        Self::new(_mm256_set1_epi32(multiplier.mantissa), _mm256_set1_epi32(multiplier.shift.into()))
    }

    /// Of nothing.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn none() -> Self {
        Self::new(_mm256_setzero_si256(), _mm256_setzero_si256())
    }

    /// Those of 8 channels in a row.
    ///
    /// # Safety
    /// There are 8.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub unsafe fn of_eight(mantissa: *const Word, shift: *const i8) -> Self {
        // SAFETY: see above.
        unsafe {
            Self::new(
                _mm256_loadu_si256(mantissa.cast()),
                _mm256_cvtepi8_epi32(_mm_loadl_epi64(shift.cast())),
            )
        }
    }

    /// Those of some channels, in the order of [`words`].
    ///
    /// # Safety
    /// There are `COUNT`, 8 or 16.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub unsafe fn of_channels<const COUNT: usize>(mantissa: *const Word, shift: *const i8) -> [Self; 2] {
        // SAFETY: see above.
        unsafe {
            let shifts = if COUNT == 8 {
                _mm_shuffle_epi32::<0b01_01_00_00>(_mm_loadl_epi64(shift.cast()))
            } else {
                _mm_shuffle_epi32::<0b11_01_10_00>(_mm_loadu_si128(shift.cast()))
            };
            let others = _mm_srli_si128::<8>(shifts);
            [
                Self::new(words::<COUNT>(mantissa.cast(), 0), _mm256_cvtepi8_epi32(shifts)),
                Self::new(words::<COUNT>(mantissa.cast(), 1), _mm256_cvtepi8_epi32(others)),
            ]
        }
    }

    /// Each lane's mantissa and shift.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(mantissa: __m256i, shift: __m256i) -> Self {
        // n - 33
        let right = _mm256_sub_epi32(_mm256_set1_epi32(PerChannel::SMALL_SHIFT.into()), shift);
        Self { mantissa, odd: _mm256_srli_epi64::<32>(mantissa), right }
    }

    /// `floor(2 x m)`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn apply(&self, x: __m256i) -> __m256i {
        let even = multiply(x, self.mantissa);
        let odd = multiply(_mm256_srli_epi64::<32>(x), self.odd);
        let high = _mm256_blend_epi32::<0b1010_1010>(_mm256_srli_epi64::<32>(even), odd);
        _mm256_srav_epi32(high, self.right)
    }
}

/// The end of an output: rounding, zero point and clamp.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    zero_point: __m256i,
    min: __m256i,
    max: __m256i,
}

impl Finish {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn new(zero_point: i8, activation: Activation) -> Self {
        Self {
            zero_point: _mm256_set1_epi16(zero_point.into()),
            min: _mm256_set1_epi8(activation.min),
            max: _mm256_set1_epi8(activation.max),
        }
    }

    /// 16 values `floor(2 x m)`, rounded, plus the zero point, clamped. The first register has the first and the third four of them, the second the
    /// others: so `vpackssdw` puts them into order, and so `vpunpck` had dealt them out.
    ///
    /// Saturation on the way changes nothing: what it cuts off is beyond the clamp with and without the zero point.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn apply(&self, one: __m256i, other: __m256i) -> __m128i {
        let words = self.round(_mm256_packs_epi32(one, other));
        let bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
        let (min, max) = (_mm256_castsi256_si128(self.min), _mm256_castsi256_si128(self.max));
        _mm_min_epi8(_mm_max_epi8(bytes, min), max)
    }

    /// Four times 8 values `floor(2 x m)`, rounded, plus the zero point, clamped, one behind the other.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn four(&self, [a, b, c, d]: [__m256i; 4]) -> __m256i {
        let (ab, cd) = (self.round(_mm256_packs_epi32(a, b)), self.round(_mm256_packs_epi32(c, d)));
        // The first four of each, then the others.
        let bytes = _mm256_packs_epi16(ab, cd);
        let clamped = _mm256_min_epi8(_mm256_max_epi8(bytes, self.min), self.max);
        _mm256_permutevar8x32_epi32(clamped, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
    }

    /// `(2x + 1) / 2`, rounded down, plus the zero point: `(2x * 2^14 + 2^14) / 2^15`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn round(&self, twice: __m256i) -> __m256i {
        _mm256_adds_epi16(_mm256_mulhrs_epi16(twice, _mm256_set1_epi16(1 << 14)), self.zero_point)
    }
}
