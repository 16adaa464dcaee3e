//! Average over a window.

use crate::kernels::rows::Rows;
use crate::kernels::scalar::{mean_of, pixels, window};
use crate::operator::Pool;
use core::arch::aarch64::*;

/// Channels summed at once.
const LANES: usize = 16;

/// Whether there are as many channels as a register takes.
pub(super) fn fits(op: &Pool) -> bool {
    usize::from(op.output.shape.channels) >= LANES
}

/// See [`Kernels::average_pool`](crate::kernels::Kernels::average_pool), of a pool that [`fits`].
#[target_feature(enable = "neon")]
pub(super) fn average_pool(op: &Pool, input: Rows<'_>, y: usize, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    for (x, pixel) in pixels(op, output) {
        for first in (0..channels).step_by(LANES) {
            // The last sixteen overlap those before them.
            let first = first.min(channels - LANES);
            let (mut sums, mut count) = ([vdupq_n_s32(0); 4], 0);
            for row in window(op, input, [y, x]) {
                for values in row.chunks_exact(channels) {
                    // SAFETY: a pixel has 16 channels from the first one on.
                    let values = unsafe { vld1q_s8(values.as_ptr().add(first)) };
                    let (low, high) = (vmovl_s8(vget_low_s8(values)), vmovl_high_s8(values));
                    sums = [
                        vaddw_s16(sums[0], vget_low_s16(low)),
                        vaddw_high_s16(sums[1], low),
                        vaddw_s16(sums[2], vget_low_s16(high)),
                        vaddw_high_s16(sums[3], high),
                    ];
                    count += 1;
                }
            }
            let mut each = [0i32; LANES];
            for quad in 0..4 {
                // SAFETY: there are as many.
                unsafe { vst1q_s32(each.as_mut_ptr().add(4 * quad), sums[quad]) };
            }
            for (out, sum) in pixel[first..].iter_mut().zip(each) {
                *out = op.activation.clamp(mean_of(sum, count).into());
            }
        }
    }
}
