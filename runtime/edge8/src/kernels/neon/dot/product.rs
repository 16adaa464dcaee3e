//! Products by `sdot`, a group of inputs with those of each output.

use super::{Dot, tile};
use crate::kernels::neon::product::{Inputs, Multiply, Tiles, again};
use crate::kernels::neon::rescale::Channels;
use crate::operator::Word;
use crate::packing::GROUP;
use core::arch::aarch64::*;
use core::arch::asm;

impl Multiply for Dot {
    const PATCHES: [usize; 2] = [4, 8];
    const TILE: usize = 4;

    /// Where they lie.
    type Start<const Q: usize> = *const Word;

    #[inline(always)]
    unsafe fn start<const Q: usize>(channels: &Channels<Q>) -> Self::Start<Q> {
        channels.bias
    }

    #[inline(always)]
    unsafe fn tiles(tiles: &Tiles) {
        // SAFETY: see the trait.
        unsafe { tile::fours(tiles) }
    }

    #[inline(always)]
    unsafe fn sums<const P: usize, const Q: usize>(
        weights: *const i8,
        patches: *const i8,
        inputs: &Inputs,
        start: &Self::Start<Q>,
    ) -> [[int32x4_t; Q]; P] {
        let mut start: *const i8 = start.cast();
        // SAFETY: no more inputs and weights are read than are left.
        unsafe {
            let mut sums = [[vdupq_n_s32(0); Q]; P];
            if (P, Q) == (1, 4) {
                sums[0].copy_from_slice(&tile::one_patch(weights, patches, inputs, start));
                return sums;
            }
            for p in 0..P {
                for quad in 0..Q {
                    sums[p][quad] = vreinterpretq_s32_s8(vld1q_s8(start.add(16 * quad)));
                }
                start = again(start);
            }
            let (mut weights, mut patches) = (weights, patches);
            let Inputs { step, rows, row_len, gap } = *inputs;
            for row in 0..rows {
                if row > 0 {
                    patches = patches.wrapping_add(gap);
                }
                let mut left = row_len;
                while left >= 4 * GROUP {
                    let mut x = [vdupq_n_s8(0); P];
                    for p in 0..P {
                        x[p] = vld1q_s8(patches.add(p * step));
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
                        x[p] = vcombine_s8(vld1_s8(patches.add(p * step)), vdup_n_s8(0));
                    }
                    weights = group::<P, Q, 0>(&mut sums, weights, &x);
                    weights = group::<P, Q, 1>(&mut sums, weights, &x);
                    (patches, left) = (patches.add(2 * GROUP), left - 2 * GROUP);
                }
                if left >= GROUP {
                    let mut x = [vdupq_n_s8(0); P];
                    for p in 0..P {
                        x[p] = vreinterpretq_s8_s32(vdupq_n_s32(
                            patches.add(p * step).cast::<i32>().read_unaligned(),
                        ));
                    }
                    weights = group::<P, Q, 0>(&mut sums, weights, &x);
                    patches = patches.add(GROUP);
                }
            }
            sums
        }
    }
}

/// Adds the products of one group of the block's weights; the address of the next group.
///
/// # Safety
/// The processor has `sdot`, and there are `16 Q` weights.
#[inline(always)]
unsafe fn group<const P: usize, const Q: usize, const LANE: usize>(
    sums: &mut [[int32x4_t; Q]; P],
    mut weights: *const i8,
    x: &[int8x16_t; P],
) -> *const i8 {
    // SAFETY: see above.
    unsafe {
        let mut w = [vdupq_n_s8(0); Q];
        if Q == 4 {
            (w[0], w[1], w[Q - 2], w[Q - 1]) = next_block(&mut weights);
        } else {
            for quad in 0..Q {
                w[quad] = vld1q_s8(weights);
                weights = weights.add(16);
            }
        }
        for quad in 0..Q {
            for p in 0..P {
                sums[p][quad] = dot_lane::<LANE>(sums[p][quad], w[quad], x[p]);
            }
        }
    }
    weights
}

/// The next 64 weights, by one instruction: the compiler would take four, or two.
///
/// # Safety
/// They are there.
#[inline(always)]
unsafe fn next_block(from: &mut *const i8) -> (int8x16_t, int8x16_t, int8x16_t, int8x16_t) {
    let (first, second, third, fourth);
    // SAFETY: see above.
    unsafe {
        asm!(
            "ld1 {{ v28.16b, v29.16b, v30.16b, v31.16b }}, [{from}], #64",
            from = inout(reg) *from,
            out("v28") first,
            out("v29") second,
            out("v30") third,
            out("v31") fourth,
            options(readonly, nostack, preserves_flags),
        );
    }
    (first, second, third, fourth)
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
            // Not `pure`: in the order in which they stand, no weight need be moved out of the way of the next.
            options(nomem, nostack, preserves_flags),
        );
    }
    sum
}
