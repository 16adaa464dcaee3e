//! Elementwise sum.

use super::rescale::{Finish, Rescale};
use super::store;
use crate::operator::{Add, Addend};
use core::arch::x86_64::*;

/// Values at a time.
const STEP: usize = 16;

/// See [`Kernels::add`](crate::kernels::Kernels::add), for a second input as long as the first and a sum whose multiplier
/// is small.
#[target_feature(enable = "avx2")]
pub(super) fn add(op: &Add, second: &[i8], values: &mut [i8]) {
    let (one, other) = (Align::new(&op.first), Align::new(&op.second));
    let (rescale, finish) = (Rescale::all(op.multiplier), Finish::new(op.output.zero_point, op.activation));
    for (values, second) in values.chunks_mut(STEP).zip(second.chunks(STEP)) {
        let (mut a, mut b) = ([0; STEP], [0; STEP]);
        a.iter_mut().zip(&*values).for_each(|(to, &from)| *to = from);
        b.iter_mut().zip(second).for_each(|(to, &from)| *to = from);
        // In the order that `Finish` takes: the first and the third four, the others.
        let sum = |at: usize| {
            let a = one.apply(part(&a, at));
            rescale.apply(_mm256_add_epi32(a, other.apply(part(&b, at))))
        };
        // SAFETY: as many as there are.
        unsafe { store(values.as_mut_ptr(), values.len(), finish.apply(sum(0), sum(4))) };
    }
}

/// Four values from `at` on and the four that come 8 later.
#[inline]
#[target_feature(enable = "avx2")]
fn part(values: &[i8; STEP], at: usize) -> __m256i {
    let four = |at: usize| i32::from_le_bytes([0, 1, 2, 3].map(|next| values[(at + next) % STEP] as u8));
    _mm256_cvtepi8_epi32(_mm_setr_epi32(four(at), four(at + 8), 0, 0))
}

/// An input brought to the common scale.
///
/// `floor(((q - z) * 2^20 * mantissa + 2^(n-1)) / 2^n)` with `n = 31 - shift >= 31`: the 20 zeros at the right end are
/// left out on both sides. A large multiple of `2^(n-20)` on the way makes up for the arithmetic shift that AVX2 lacks.
struct Align {
    zero_point: __m256i,
    mantissa: __m256i,
    half: __m256i,
    right: __m128i,
    excess: __m256i,
}

impl Align {
    #[target_feature(enable = "avx2")]
    fn new(addend: &Addend) -> Self {
        const EXCESS: i64 = 1 << 62;
        let right = 31 - i64::from(addend.multiplier.shift) - i64::from(Add::LEFT_SHIFT);
        Self {
            zero_point: _mm256_set1_epi32(addend.tensor.zero_point.into()),
            mantissa: _mm256_set1_epi64x(addend.multiplier.mantissa.into()),
            half: _mm256_set1_epi64x((1 << (right - 1)) + EXCESS),
            right: _mm_set_epi64x(0, right),
            excess: _mm256_set1_epi64x(EXCESS >> right),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn apply(&self, values: __m256i) -> __m256i {
        let centred = _mm256_sub_epi32(values, self.zero_point);
        let odd = _mm256_slli_epi64::<32>(self.even(_mm256_srli_epi64::<32>(centred)));
        _mm256_blend_epi32::<0b1010_1010>(self.even(centred), odd)
    }

    /// The even lanes, 64 bits wide.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn even(&self, x: __m256i) -> __m256i {
        let raised = _mm256_add_epi64(_mm256_mul_epi32(x, self.mantissa), self.half);
        _mm256_sub_epi64(_mm256_srl_epi64(raised, self.right), self.excess)
    }
}
