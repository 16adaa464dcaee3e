//! Elementwise sum.

use super::lanes::{LANES, first, first_bytes, load};
use super::rescale::{Finish, Rescale, RescaleAny};
use crate::fixed_point::Multiplier;
use crate::operator::{Add, Addend};
use core::arch::x86_64::*;

/// See [`Kernels::add`](crate::kernels::Kernels::add), for a second input as long as the first and a sum whose multiplier
/// is small.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) fn add(op: &Add, second: &[i8], values: &mut [i8]) {
    let (one, other) = (Align::new(&op.first), Align::new(&op.second));
    let (rescale, finish) = (Rescale::all(op.multiplier), Finish::new(op.output.zero_point, op.activation));
    for (values, second) in values.chunks_mut(4 * LANES).zip(second.chunks(4 * LANES)) {
        let mut sums = [_mm512_setzero_si512(); 4];
        for quarter in 0..4 {
            let at = quarter * LANES;
            if at < values.len() {
                let mask = first(values.len() - at);
                // SAFETY: the mask lets through the values that both have.
                let [a, b] =
                    unsafe { [load(values.as_ptr().add(at), mask), load(second.as_ptr().add(at), mask)] };
                sums[quarter] = rescale.apply(_mm512_add_epi32(one.apply(a), other.apply(b)));
            }
        }
        let sums = finish.apply(sums);
        // SAFETY: as many values as the mask lets through are there.
        unsafe {
            match values.len() {
                64 => _mm512_storeu_si512(values.as_mut_ptr().cast(), sums),
                count => _mm512_mask_storeu_epi8(values.as_mut_ptr(), first_bytes(count), sums),
            }
        }
    }
}

/// An input brought to the common scale.
///
/// `floor(((q - z) * 2^20 * mantissa + 2^(n-1)) / 2^n)` with `n = 31 - shift >= 31`: the 20 zeros at the right end are
/// left out on both sides.
struct Align {
    zero_point: __m512i,
    rescale: RescaleAny,
}

impl Align {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn new(addend: &Addend) -> Self {
        let Multiplier { mantissa, shift } = addend.multiplier;
        let shifted = Multiplier { mantissa, shift: shift.wrapping_add(Add::LEFT_SHIFT as i8) };
        Self {
            zero_point: _mm512_set1_epi32(addend.tensor.zero_point.into()),
            rescale: RescaleAny::new(shifted),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn apply(&self, values: __m128i) -> __m512i {
        const EVEN: u16 = 0x5555;
        let centred = _mm512_sub_epi32(_mm512_cvtepi8_epi32(values), self.zero_point);
        let odd = _mm512_slli_epi64::<32>(self.rescale.apply_even(_mm512_srli_epi64::<32>(centred)));
        _mm512_mask_mov_epi32(odd, EVEN, self.rescale.apply_even(centred))
    }
}
