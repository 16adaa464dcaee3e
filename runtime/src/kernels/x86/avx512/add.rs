//! Elementwise sum.

use super::rescale::{Finish, Rescale};
use super::{LANES, first};
use crate::operator::{Add, Addend};
use core::arch::x86_64::*;

/// See [`Kernels::add`](crate::kernels::Kernels::add), for a second input as long as the first and a sum whose multiplier
/// is small.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) fn add(op: &Add, second: &[i8], values: &mut [i8]) {
    let (one, other) = (Align::new(&op.first), Align::new(&op.second));
    let (rescale, finish) = (Rescale::all(op.multiplier), Finish::new(op.output.zero_point, op.activation));
    for (values, second) in values.chunks_mut(LANES).zip(second.chunks(LANES)) {
        let mask = first(values.len().min(second.len()));
        // SAFETY: the mask lets through the values that both have.
        unsafe {
            let a = one.apply(_mm_maskz_loadu_epi8(mask, values.as_ptr()));
            let b = other.apply(_mm_maskz_loadu_epi8(mask, second.as_ptr()));
            let sum = finish.apply(rescale.apply(_mm512_add_epi32(a, b)));
            _mm_mask_storeu_epi8(values.as_mut_ptr(), mask, sum);
        }
    }
}

/// An input brought to the common scale.
///
/// `floor(((q - z) * 2^20 * mantissa + 2^(n-1)) / 2^n)` with `n = 31 - shift >= 31`: the 20 zeros at the right end are
/// left out on both sides.
struct Align {
    zero_point: __m512i,
    mantissa: __m512i,
    half: __m512i,
    right: __m128i,
}

impl Align {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn new(addend: &Addend) -> Self {
        let right = 31 - i64::from(addend.multiplier.shift) - i64::from(Add::LEFT_SHIFT);
        Self {
            zero_point: _mm512_set1_epi32(addend.tensor.zero_point.into()),
            mantissa: _mm512_set1_epi64(addend.multiplier.mantissa.into()),
            half: _mm512_set1_epi64(1 << (right - 1)),
            right: _mm_set_epi64x(0, right),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn apply(&self, values: __m128i) -> __m512i {
        const EVEN: u16 = 0x5555;
        let centred = _mm512_sub_epi32(_mm512_cvtepi8_epi32(values), self.zero_point);
        let rescaled = |x: __m512i| {
            let exact = _mm512_mul_epi32(x, self.mantissa);
            _mm512_sra_epi64(_mm512_add_epi64(exact, self.half), self.right)
        };
        let odd = _mm512_slli_epi64::<32>(rescaled(_mm512_srli_epi64::<32>(centred)));
        _mm512_mask_mov_epi32(odd, EVEN, rescaled(centred))
    }
}
