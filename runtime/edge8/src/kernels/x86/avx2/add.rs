//! Elementwise sum.

use super::rescale::{Finish, Rescale};
use crate::fixed_point::Multiplier;
use crate::operator::{Add, Addend};
use core::arch::x86_64::*;

/// Values at a time: four registers.
const STEP: usize = 4 * LANES;

const LANES: usize = 8;

/// See [`Kernels::add`](crate::kernels::Kernels::add), for a second input as long as the first and a sum whose multiplier
/// is small.
#[target_feature(enable = "avx2")]
pub(super) fn add(op: &Add, second: &[i8], values: &mut [i8]) {
    let sum = Sum {
        addends: [Align::new(&op.first), Align::new(&op.second)],
        rescale: Rescale::all(op.multiplier),
        finish: Finish::new(op.output.zero_point, op.activation),
    };
    let (whole, rest) = values.as_chunks_mut::<STEP>();
    let (second_whole, second_rest) = second.as_chunks::<STEP>();
    for (values, second) in whole.iter_mut().zip(second_whole) {
        sum.apply(values, second);
    }
    let (mut a, mut b) = ([0; STEP], [0; STEP]);
    let count = rest.len().min(second_rest.len());
    a[..count].copy_from_slice(&rest[..count]);
    b[..count].copy_from_slice(&second_rest[..count]);
    sum.apply(&mut a, &b);
    rest[..count].copy_from_slice(&a[..count]);
}

struct Sum {
    addends: [Align; 2],
    rescale: Rescale,
    finish: Finish,
}

impl Sum {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn apply(&self, values: &mut [i8; STEP], second: &[i8; STEP]) {
        let [one, other] = &self.addends;
        let mut sums = [_mm256_setzero_si256(); STEP / LANES];
        for index in 0..STEP / LANES {
            // SAFETY: both have 8 values from here on.
            let (a, b) = unsafe {
                let (a, b) = (values.as_ptr().add(index * LANES), second.as_ptr().add(index * LANES));
                (_mm_loadl_epi64(a.cast()), _mm_loadl_epi64(b.cast()))
            };
            sums[index] = self.rescale.apply(_mm256_add_epi32(one.apply(a), other.apply(b)));
        }
        // SAFETY: there are as many values as the registers hold.
        unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), self.finish.four(sums)) };
    }
}

/// An input brought to the common scale.
///
/// `floor((q - z) * 2^20 * m + 1/2)` with `m < 1`: with four times the difference a quarter of the multiplier, which is
/// small, gives the same.
struct Align {
    zero_point: __m256i,
    rescale: Rescale,
}

impl Align {
    /// The difference has 9 bits, so that it fits; [`Rescale`] takes multipliers below 1/4.
    const LEFT: i32 = Add::LEFT_SHIFT as i32 + 2;

    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(addend: &Addend) -> Self {
        let Multiplier { mantissa, shift } = addend.multiplier;
        Self {
            zero_point: _mm256_set1_epi32(addend.tensor.zero_point.into()),
            rescale: Rescale::all(Multiplier { mantissa, shift: shift.saturating_sub(2) }),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn apply(&self, values: __m128i) -> __m256i {
        let difference = _mm256_sub_epi32(_mm256_cvtepi8_epi32(values), self.zero_point);
        let twice = self.rescale.apply(_mm256_slli_epi32::<{ Self::LEFT }>(difference));
        _mm256_srai_epi32::<1>(_mm256_add_epi32(twice, _mm256_set1_epi32(1)))
    }
}
