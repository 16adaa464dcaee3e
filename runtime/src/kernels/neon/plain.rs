//! Products of bytes widened to 16 bits, two of them added before they are widened to 32.

use super::depthwise::{Filter, KERNEL};
use super::product::Multiply;
use crate::packing::GROUP;
use core::arch::aarch64::*;

/// Products without `sdot`.
///
/// Two products fit into 16 bits: `2 * 127 * 128`, the weight -128 being none that a quantised network has.
#[derive(Debug)]
pub(super) struct Plain;

impl Multiply for Plain {
    const PATCHES: [usize; 2] = [2, 4];

    #[inline(always)]
    unsafe fn sums<const P: usize, const Q: usize>(
        weights: *const i8,
        patches: *const i8,
        depth: usize,
        bias: &[int32x4_t; Q],
    ) -> [[int32x4_t; Q]; P] {
        // SAFETY: no more inputs and weights are read than are left: first one or two groups, then two at a time.
        unsafe {
            // Of each output two sums, of the even and the odd pairs of inputs.
            let mut halves = [[[vdupq_n_s32(0); 2]; Q]; P];
            let (mut weights, mut patches) = (weights, patches);
            let mut left = depth;
            if !(depth / GROUP).is_multiple_of(2) {
                for p in 0..P {
                    let x = quad(patches.add(p * depth));
                    for q in 0..Q {
                        let w = vld1q_s8(weights.add(16 * q));
                        halves[p][q][0] =
                            vpadalq_s16(halves[p][q][0], vmull_s8(vget_low_s8(w), vget_low_s8(x)));
                        halves[p][q][1] = vpadalq_s16(halves[p][q][1], vmull_high_s8(w, x));
                    }
                }
                (weights, patches, left) = (weights.add(16 * Q), patches.add(GROUP), left - GROUP);
            }
            while left > 0 {
                let mut x = [[vdupq_n_s8(0); 2]; P];
                for p in 0..P {
                    x[p] = [quad(patches.add(p * depth)), quad(patches.add(p * depth + GROUP))];
                }
                for q in 0..Q {
                    let w = [vld1q_s8(weights.add(16 * q)), vld1q_s8(weights.add(16 * (Q + q)))];
                    for p in 0..P {
                        let low = vmull_s8(vget_low_s8(w[0]), vget_low_s8(x[p][0]));
                        let low = vmlal_s8(low, vget_low_s8(w[1]), vget_low_s8(x[p][1]));
                        let high = vmlal_high_s8(vmull_high_s8(w[0], x[p][0]), w[1], x[p][1]);
                        halves[p][q][0] = vpadalq_s16(halves[p][q][0], low);
                        halves[p][q][1] = vpadalq_s16(halves[p][q][1], high);
                    }
                }
                (weights, patches, left) = (weights.add(32 * Q), patches.add(2 * GROUP), left - 2 * GROUP);
            }
            let mut sums = [*bias; P];
            for p in 0..P {
                for q in 0..Q {
                    sums[p][q] = vaddq_s32(sums[p][q], vpaddq_s32(halves[p][q][0], halves[p][q][1]));
                }
            }
            sums
        }
    }
}

/// Four inputs, four times.
///
/// # Safety
/// They are there.
#[inline(always)]
unsafe fn quad(from: *const i8) -> int8x16_t {
    // SAFETY: see above.
    unsafe { vreinterpretq_s8_s32(vld1q_dup_s32(from.cast())) }
}

impl<const Q: usize> Filter<Q> for Plain {
    /// The weights of each column and row, a channel a byte.
    type Weights = [[int8x16_t; KERNEL]; KERNEL];

    /// The values of each row, a channel a byte.
    type Column = [int8x16_t; KERNEL];

    #[inline(always)]
    unsafe fn weights(from: *const i8, channels: usize) -> Self::Weights {
        // SAFETY: see the trait.
        unsafe {
            let mut weights = [[vdupq_n_s8(0); KERNEL]; KERNEL];
            for column in 0..KERNEL {
                let from = from.add(GROUP * column * channels);
                weights[column] = if Q == 2 {
                    let int8x8x4_t(first, second, third, _) = vld4_s8(from);
                    let none = vdup_n_s8(0);
                    [vcombine_s8(first, none), vcombine_s8(second, none), vcombine_s8(third, none)]
                } else {
                    let int8x16x4_t(first, second, third, _) = vld4q_s8(from);
                    [first, second, third]
                };
            }
            weights
        }
    }

    #[inline(always)]
    unsafe fn column(_: &Self::Weights, rows: [*const i8; KERNEL]) -> Self::Column {
        // SAFETY: see the trait.
        unsafe {
            let mut column = [vdupq_n_s8(0); KERNEL];
            for row in 0..KERNEL {
                column[row] = match Q {
                    2 => vcombine_s8(vld1_s8(rows[row]), vdup_n_s8(0)),
                    _ => vld1q_s8(rows[row]),
                };
            }
            column
        }
    }

    #[inline(always)]
    unsafe fn sums(
        bias: &[int32x4_t; Q],
        weights: &Self::Weights,
        columns: [Self::Column; KERNEL],
    ) -> [int32x4_t; Q] {
        const TAPS: usize = KERNEL * KERNEL;
        let mut sums = *bias;
        // SAFETY: see the trait.
        unsafe {
            for tap in (0..TAPS).step_by(2) {
                let (w, x) = (weights[tap / KERNEL][tap % KERNEL], columns[tap / KERNEL][tap % KERNEL]);
                let mut low = vmull_s8(vget_low_s8(w), vget_low_s8(x));
                let mut high = vmull_high_s8(w, x);
                let next = tap + 1;
                if next < TAPS {
                    let (w, x) =
                        (weights[next / KERNEL][next % KERNEL], columns[next / KERNEL][next % KERNEL]);
                    low = vmlal_s8(low, vget_low_s8(w), vget_low_s8(x));
                    high = vmlal_high_s8(high, w, x);
                }
                sums[0] = vaddw_s16(sums[0], vget_low_s16(low));
                sums[1] = vaddw_high_s16(sums[1], low);
                if Q == 4 {
                    sums[Q - 2] = vaddw_s16(sums[Q - 2], vget_low_s16(high));
                    sums[Q - 1] = vaddw_high_s16(sums[Q - 1], high);
                }
            }
        }
        sums
    }
}
