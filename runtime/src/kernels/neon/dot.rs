//! Four products of bytes at a time: the instruction `sdot`, with which the standard library has no stable function.

use super::depthwise::Filter;
use super::product::Multiply;
use crate::kernels::shapes::KERNEL;
use crate::packing::GROUP;
use core::arch::aarch64::*;
use core::arch::asm;

/// `sum + w * x` over each group of 4.
///
/// # Safety
/// The processor has `sdot`.
#[inline(always)]
pub(super) unsafe fn dot(mut sum: int32x4_t, w: int8x16_t, x: int8x16_t) -> int32x4_t {
    // SAFETY: see above; registers are all that it touches.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {sum:v}.4s, {w:v}.16b, {x:v}.16b",
            sum = inlateout(vreg) sum,
            w = in(vreg) w,
            x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// `sum + w * x` with the same group of `x` for every lane.
///
/// # Safety
/// The processor has `sdot`.
#[inline(always)]
unsafe fn dot_lane<const LANE: usize>(mut sum: int32x4_t, w: int8x16_t, x: int8x16_t) -> int32x4_t {
    // SAFETY: see above; registers are all that it touches.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {sum:v}.4s, {w:v}.16b, {x:v}.4b[{lane}]",
            sum = inlateout(vreg) sum,
            w = in(vreg) w,
            x = in(vreg) x,
            lane = const LANE,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// Products by `sdot`.
#[derive(Debug)]
pub(super) struct Dot;

impl Multiply for Dot {
    const PATCHES: [usize; 2] = [4, 8];

    #[inline(always)]
    unsafe fn sums<const P: usize, const Q: usize>(
        weights: *const i8,
        patches: *const i8,
        depth: usize,
        bias: &[int32x4_t; Q],
    ) -> [[int32x4_t; Q]; P] {
        let mut sums = [*bias; P];
        let (mut weights, mut patches) = (weights, patches);
        let mut left = depth;
        // SAFETY: no more inputs and weights are read than are left.
        unsafe {
            while left >= 4 * GROUP {
                let mut x = [vdupq_n_s8(0); P];
                for p in 0..P {
                    x[p] = vld1q_s8(patches.add(p * depth));
                }
                weights = group::<P, Q, 0>(&mut sums, weights, &x);
                weights = group::<P, Q, 1>(&mut sums, weights, &x);
                weights = group::<P, Q, 2>(&mut sums, weights, &x);
                weights = group::<P, Q, 3>(&mut sums, weights, &x);
                (patches, left) = (patches.add(4 * GROUP), left - 4 * GROUP);
            }
            if left >= 2 * GROUP {
                let mut x = [vdupq_n_s8(0); P];
                for p in 0..P {
                    let eight = vld1_s8(patches.add(p * depth));
                    x[p] = vcombine_s8(eight, eight);
                }
                weights = group::<P, Q, 0>(&mut sums, weights, &x);
                weights = group::<P, Q, 1>(&mut sums, weights, &x);
                (patches, left) = (patches.add(2 * GROUP), left - 2 * GROUP);
            }
            if left >= GROUP {
                let mut x = [vdupq_n_s8(0); P];
                for p in 0..P {
                    x[p] = vreinterpretq_s8_s32(vdupq_n_s32(
                        patches.add(p * depth).cast::<i32>().read_unaligned(),
                    ));
                }
                group::<P, Q, 0>(&mut sums, weights, &x);
            }
        }
        sums
    }
}

/// Adds the products of one group of the block's weights; the address of the next group.
///
/// # Safety
/// The processor has `sdot`, and there are `16 Q` weights.
#[inline(always)]
unsafe fn group<const P: usize, const Q: usize, const LANE: usize>(
    sums: &mut [[int32x4_t; Q]; P],
    weights: *const i8,
    x: &[int8x16_t; P],
) -> *const i8 {
    for quad in 0..Q {
        // SAFETY: see above.
        unsafe {
            let w = vld1q_s8(weights.add(16 * quad));
            for p in 0..P {
                sums[p][quad] = dot_lane::<LANE>(sums[p][quad], w, x[p]);
            }
        }
    }
    weights.wrapping_add(16 * Q)
}

/// A depthwise kernel of `4 Q` channels.
pub(super) struct Weights<const Q: usize> {
    /// Of each column, 4 channels a register.
    columns: [[int8x16_t; Q]; KERNEL],
    /// Where each lane of each register of a column finds its bytes in those of three rows.
    order: [uint8x16_t; Q],
}

/// Where the first four lanes find their bytes in 48: those of a channel in each row, and beyond the end, where 0 is.
const ORDER: [u8; 16] = [0, 16, 32, 255, 1, 17, 33, 255, 2, 18, 34, 255, 3, 19, 35, 255];

impl<const Q: usize> Filter<Q> for Dot {
    type Weights = Weights<Q>;

    /// 4 channels a register: in each lane the bytes of the three rows, and 0.
    type Column = [int8x16_t; Q];

    #[inline(always)]
    unsafe fn weights(from: *const i8, channels: usize) -> Self::Weights {
        // SAFETY: see the trait.
        unsafe {
            let mut weights = Weights { columns: [[vdupq_n_s8(0); Q]; KERNEL], order: [vdupq_n_u8(0); Q] };
            for column in 0..KERNEL {
                for quad in 0..Q {
                    let at = from.add(GROUP * (column * channels + 4 * quad));
                    weights.columns[column][quad] = vld1q_s8(at);
                }
            }
            let mut order = vld1q_u8(ORDER.as_ptr());
            // Without this the compiler would load each order anew, from an address that it would compute anew.
            asm!("/* {0} */", inlateout(vreg) order, options(nomem, nostack, preserves_flags));
            for quad in 0..Q {
                // 255 stays beyond the end.
                weights.order[quad] = vqaddq_u8(order, vdupq_n_u8(4 * quad as u8));
            }
            weights
        }
    }

    #[inline(always)]
    unsafe fn column(weights: &Self::Weights, rows: [*const i8; KERNEL]) -> Self::Column {
        // SAFETY: see the trait.
        unsafe {
            let [first, second, third] = rows.map(|row| match Q {
                2 => vcombine_s8(vld1_s8(row), vdup_n_s8(0)),
                _ => vld1q_s8(row),
            });
            let rows = int8x16x3_t(first, second, third);
            let mut column = [first; Q];
            for quad in 0..Q {
                column[quad] = vqtbl3q_s8(rows, weights.order[quad]);
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
        let mut sums = *bias;
        // SAFETY: see the trait.
        unsafe {
            for column in 0..KERNEL {
                for quad in 0..Q {
                    sums[quad] = dot(sums[quad], weights.columns[column][quad], columns[column][quad]);
                }
            }
        }
        sums
    }
}
