//! A 3x3 kernel of 16 lanes: 16 channels of a pixel, or 8 channels of each of two pixels.

use super::rescale::{Finish, Rescale, words};
use crate::kernels::shapes::KERNEL;
use crate::operator::Convolution;
use crate::packing::GROUP;
use core::arch::x86_64::*;

/// A column: the first and the second row's values in pairs, the third row's beside zeros; each of the first and third
/// four lanes, and of the others.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pairs: [__m256i; 2],
    singles: [__m256i; 2],
}

impl Column {
    /// From the 16 values of each row.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn new(first: __m128i, second: __m128i, third: __m128i) -> Self {
        let zero = _mm256_setzero_si256();
        let [first, second] = [_mm256_cvtepi8_epi16(first), _mm256_cvtepi8_epi16(second)];
        let third = _mm256_cvtepi8_epi16(third);
        Self {
            pairs: [_mm256_unpacklo_epi16(first, second), _mm256_unpackhi_epi16(first, second)],
            singles: [_mm256_unpacklo_epi16(third, zero), _mm256_unpackhi_epi16(third, zero)],
        }
    }
}

/// The weights of a kernel column, as [`Column`] has the values.
#[derive(Clone, Copy)]
struct Weights {
    pairs: [__m256i; 2],
    singles: [__m256i; 2],
}

impl Weights {
    /// Those of `CHANNELS` channels.
    ///
    /// # Safety
    /// `from` has as many groups of 4.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn load<const CHANNELS: usize>(from: *const i8) -> Self {
        let mut weights = Self { pairs: [_mm256_setzero_si256(); 2], singles: [_mm256_setzero_si256(); 2] };
        for half in 0..2 {
            // SAFETY: see above.
            let groups = unsafe { words::<CHANNELS>(from, half) };
            // The rows' weights as 16-bit halves: first and third, second and nothing.
            let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(groups));
            let odd = _mm256_srai_epi16::<8>(groups);
            weights.pairs[half] = _mm256_blend_epi16::<0b1010_1010>(even, _mm256_slli_epi32::<16>(odd));
            weights.singles[half] = _mm256_srli_epi32::<16>(even);
        }
        weights
    }
}

/// A kernel of `CHANNELS` channels, 8 or 16, and what follows it.
pub(super) struct Filter {
    weights: [Weights; KERNEL],
    bias: [__m256i; 2],
    rescale: [Rescale; 2],
    finish: Finish,
}

impl Filter {
    /// That of the channels from `channel` on.
    ///
    /// # Safety
    /// The operator [is one](crate::kernels::shapes::is_depthwise) for this kernel, and has as many channels.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub unsafe fn new<const CHANNELS: usize>(op: &Convolution<'_>, channel: usize) -> Self {
        let channels = &op.channels;
        // SAFETY: see above.
        unsafe {
            let weights = |tap: usize| {
                let group = tap * usize::from(op.output.shape.channels) + channel;
                op.weights.as_ptr().add(group * GROUP)
            };
            let bias = channels.bias.as_ptr().add(channel).cast();
            let (mantissa, shift) = (channels.mantissa.as_ptr(), channels.shift.as_ptr());
            Self {
                weights: [
                    Weights::load::<CHANNELS>(weights(0)),
                    Weights::load::<CHANNELS>(weights(1)),
                    Weights::load::<CHANNELS>(weights(2)),
                ],
                bias: [words::<CHANNELS>(bias, 0), words::<CHANNELS>(bias, 1)],
                rescale: Rescale::of_channels::<CHANNELS>(mantissa.add(channel), shift.add(channel)),
                finish: Finish::new(op.output.zero_point, op.activation),
            }
        }
    }

    /// What sums begin with.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn bias(&self) -> [__m256i; 2] {
        self.bias
    }

    /// Sums of 16 lanes, and what kernel column `TAP` adds to them.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn add<const TAP: usize>(&self, [low, high]: [__m256i; 2], column: &Column) -> [__m256i; 2] {
        let Weights { pairs, singles } = &self.weights[TAP];
        let low = _mm256_add_epi32(low, _mm256_madd_epi16(column.pairs[0], pairs[0]));
        let high = _mm256_add_epi32(high, _mm256_madd_epi16(column.pairs[1], pairs[1]));
        [
            _mm256_add_epi32(low, _mm256_madd_epi16(column.singles[0], singles[0])),
            _mm256_add_epi32(high, _mm256_madd_epi16(column.singles[1], singles[1])),
        ]
    }

    /// 16 outputs from their sums.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn finish(&self, [low, high]: [__m256i; 2]) -> __m128i {
        self.finish.apply(self.rescale[0].apply(low), self.rescale[1].apply(high))
    }
}
