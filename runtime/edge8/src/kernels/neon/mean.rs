//! Mean over height and width.

use super::rescale::{Finish, Rescale};
use crate::fixed_point::Multiplier;
use crate::operator::{Mean, PerChannel};
use core::arch::aarch64::*;

/// Channels summed at once.
const LANES: usize = 16;

/// How far the sums are shifted left, so that what is left of the multiplier is small.
fn shift_left(op: &Mean) -> u32 {
    i32::from(op.multiplier.shift).saturating_sub(PerChannel::SMALL_SHIFT.into()).max(0) as u32
}

/// Whether the sums shifted left fit into 32 bits, and there are as many channels as a register takes.
pub(super) fn fits(op: &Mean, output: &[i8]) -> bool {
    let most = (op.input.shape.pixels() as u64).saturating_mul(255);
    output.len() >= LANES && most << shift_left(op) <= i32::MAX as u64
}

/// See [`Kernels::mean`](crate::kernels::Kernels::mean), of a mean that [`fits`].
#[target_feature(enable = "neon")]
pub(super) fn mean(op: &Mean, input: &[i8], output: &mut [i8]) {
    let channels = output.len();
    let zero_points = vdupq_n_s32((op.input.shape.pixels() as i32).wrapping_mul(op.input.zero_point.into()));
    let left = shift_left(op);
    let Multiplier { mantissa, shift } = op.multiplier;
    let rescale = Rescale::all(Multiplier { mantissa, shift: shift.wrapping_sub(left as i8) });
    let left = vdupq_n_s32(left as i32);
    let finish = Finish::new(op.output.zero_point, op.activation);
    for first in (0..channels).step_by(LANES) {
        // The last sixteen overlap those before them.
        let first = first.min(channels - LANES);
        let mut sums = [vdupq_n_s32(0); 4];
        // Two pixels at a time, added in 16 bits.
        let mut pixels = input.chunks_exact(channels.saturating_mul(2).max(1));
        for pair in &mut pixels {
            // SAFETY: a pixel has 16 channels from the first one on.
            let [a, b] = unsafe { [0, channels].map(|pixel| vld1q_s8(pair.as_ptr().add(pixel + first))) };
            let low = vaddl_s8(vget_low_s8(a), vget_low_s8(b));
            sums = add(sums, low, vaddl_high_s8(a, b));
        }
        for pixel in pixels.remainder().chunks_exact(channels.max(1)) {
            // SAFETY: as above.
            let a = unsafe { vld1q_s8(pixel.as_ptr().add(first)) };
            sums = add(sums, vmovl_s8(vget_low_s8(a)), vmovl_high_s8(a));
        }
        let value = |quad: usize| rescale.apply(vshlq_s32(vsubq_s32(sums[quad], zero_points), left));
        let mut values = [finish.sixteen(finish.eight(value(0), value(1)), finish.eight(value(2), value(3)))];
        finish.clamp(&mut values);
        // SAFETY: there are 16 channels from the first one on.
        unsafe { vst1q_s8(output.as_mut_ptr().add(first), values[0]) };
    }
}

/// Adds 16 values in 16 bits to sums in 32.
#[inline]
#[target_feature(enable = "neon")]
fn add(sums: [int32x4_t; 4], low: int16x8_t, high: int16x8_t) -> [int32x4_t; 4] {
    [
        vaddw_s16(sums[0], vget_low_s16(low)),
        vaddw_high_s16(sums[1], low),
        vaddw_s16(sums[2], vget_low_s16(high)),
        vaddw_high_s16(sums[3], high),
    ]
}
