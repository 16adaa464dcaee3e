//! Mean over height and width.

use super::rescale::{Finish, Rescale};
use crate::fixed_point::Multiplier;
use crate::operator::Mean;
use core::arch::x86_64::*;

/// Channels at a time. A last block of fewer begins earlier and computes some channels again.
pub(super) const STEP: usize = 16;

/// Pixels whose sum fits into 16 bits.
const PIXELS: usize = 256;

/// See [`Kernels::mean`](crate::kernels::Kernels::mean), of at least 16 channels and with sums that can be shifted to the
/// left by `left`: see [`mean_shift`](crate::kernels::shapes::mean_shift).
#[target_feature(enable = "avx2")]
pub(super) fn mean(op: &Mean, left: u32, input: &[i8], output: &mut [i8]) {
    let channels = output.len();
    let zero_points = op.input.shape.pixels() as i32 * i32::from(op.input.zero_point);
    let Multiplier { mantissa, shift } = op.multiplier;
    let rescale = Rescale::all(Multiplier { mantissa, shift: shift - left as i8 });
    let finish = Finish::new(op.output.zero_point, op.activation);
    let left = _mm_set_epi64x(0, left.into());
    for first in (0..channels).step_by(STEP) {
        let first = first.min(channels - STEP);
        let mut sums = [_mm256_set1_epi32(-zero_points); 2];
        for pixels in input.chunks(PIXELS * channels) {
            let mut part = _mm256_setzero_si256();
            for pixel in pixels.chunks_exact(channels) {
                // SAFETY: a pixel has 16 channels from the first one on.
                let values = unsafe { _mm_loadu_si128(pixel.as_ptr().add(first).cast()) };
                part = _mm256_add_epi16(part, _mm256_cvtepi8_epi16(values));
            }
            // In the order that `Finish` takes: the first and the third four, the others.
            let sign = _mm256_srai_epi16::<15>(part);
            sums[0] = _mm256_add_epi32(sums[0], _mm256_unpacklo_epi16(part, sign));
            sums[1] = _mm256_add_epi32(sums[1], _mm256_unpackhi_epi16(part, sign));
        }
        let sums = [_mm256_sll_epi32(sums[0], left), _mm256_sll_epi32(sums[1], left)];
        let values = finish.apply(rescale.apply(sums[0]), rescale.apply(sums[1]));
        // SAFETY: there are 16 channels from the first one on.
        unsafe { _mm_storeu_si128(output.as_mut_ptr().add(first).cast(), values) };
    }
}
