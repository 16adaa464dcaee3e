//! From sums to int8, 8 at a time.

use crate::fixed_point::{Activation, Multiplier};
use crate::operator::Word;
use core::arch::x86_64::*;

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
/// With `n = 31 - shift >= 33`, `floor((x * mantissa + 2^(n-1)) / 2^n)` is the high half of the product, plus `2^(n-33)`,
/// shifted right by `n - 32`: what the low half holds cannot reach the rounding bit.
#[derive(Clone, Copy)]
pub(super) struct Rescale {
    mantissa: __m256i,
    /// The mantissas of the odd lanes in the even ones.
    odd: __m256i,
    half: __m256i,
    right: __m256i,
}

impl Rescale {
    /// One multiplier for all lanes.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn all(multiplier: Multiplier) -> Self {
        Self::new(_mm256_set1_epi32(multiplier.mantissa), _mm256_set1_epi32(multiplier.shift.into()))
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
        // n - 32
        let right = _mm256_sub_epi32(_mm256_set1_epi32(-1), shift);
        let half = _mm256_sllv_epi32(_mm256_set1_epi32(1), _mm256_sub_epi32(right, _mm256_set1_epi32(1)));
        Self { mantissa, odd: _mm256_srli_epi64::<32>(mantissa), half, right }
    }

    /// `floor(x * m + 1/2)`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn apply(&self, x: __m256i) -> __m256i {
        let even = _mm256_mul_epi32(x, self.mantissa);
        let odd = _mm256_mul_epi32(_mm256_srli_epi64::<32>(x), self.odd);
        let high = _mm256_blend_epi32::<0b1010_1010>(_mm256_srli_epi64::<32>(even), odd);
        _mm256_srav_epi32(_mm256_add_epi32(high, self.half), self.right)
    }
}

/// The end of an output: zero point and clamp.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    zero_point: __m256i,
    min: __m128i,
    max: __m128i,
}

impl Finish {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn new(zero_point: i8, activation: Activation) -> Self {
        Self {
            zero_point: _mm256_set1_epi16(zero_point.into()),
            min: _mm_set1_epi8(activation.min),
            max: _mm_set1_epi8(activation.max),
        }
    }

    /// 16 values plus the zero point, clamped. The first register has the first and the third four of them, the second the
    /// others: so `vpackssdw` puts them into order, and so `vpunpck` had dealt them out.
    ///
    /// Saturation on the way changes nothing: what it cuts off is beyond the clamp with and without the zero point.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn apply(&self, one: __m256i, other: __m256i) -> __m128i {
        let words = _mm256_adds_epi16(_mm256_packs_epi32(one, other), self.zero_point);
        let bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
        _mm_min_epi8(_mm_max_epi8(bytes, self.min), self.max)
    }
}
