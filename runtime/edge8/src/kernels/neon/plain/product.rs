//! Products of two groups of inputs with those of each output.

use super::{Plain, tile};
use crate::kernels::neon::product::{Inputs, Multiply, Tiles, again};
use crate::kernels::neon::rescale::Channels;
use crate::packing::GROUP;
use core::arch::aarch64::*;
use core::arch::asm;

impl Multiply for Plain {
    const PATCHES: [usize; 2] = [2, 4];
    const TILE: usize = 2;

    /// Of each output two sums, of the even and the odd pairs of inputs: one begins with the bias.
    type Start<const Q: usize> = [[int32x4_t; 2]; Q];

    #[inline(always)]
    unsafe fn start<const Q: usize>(channels: &Channels<Q>) -> Self::Start<Q> {
        // SAFETY: see the trait.
        unsafe {
            let bias = channels.bias();
            let zero = vdupq_n_s32(0);
            let mut start = [[zero; 2]; Q];
            for quad in 0..Q {
                start[quad] = [vzip1q_s32(bias[quad], zero), vzip2q_s32(bias[quad], zero)];
            }
            start
        }
    }

    #[inline(always)]
    unsafe fn tiles(tiles: &Tiles) {
        // SAFETY: see the trait.
        unsafe { tile::twos(tiles) }
    }

    #[inline(always)]
    unsafe fn sums<const P: usize, const Q: usize>(
        weights: *const i8,
        patches: *const i8,
        inputs: &Inputs,
        mut start: &Self::Start<Q>,
    ) -> [[int32x4_t; Q]; P] {
        // SAFETY: no more inputs and weights are read than are left: first one or two groups, then two at a time.
        unsafe {
            let mut halves = [*start; P];
            if (P, Q) == (1, 4) {
                let start = [start[0], start[1], start[Q - 2], start[Q - 1]];
                halves[0].copy_from_slice(&tile::one_patch(weights, patches, inputs, &start));
                return add_all_pairs(halves);
            }
            for p in 0..P {
                start = &*again(start);
                halves[p] = *start;
            }
            let mut weights = weights;
            let mut from = [patches; P];
            for p in 1..P {
                from[p] = from[p - 1].add(inputs.step);
            }
            for row in 0..inputs.rows {
                if row > 0 {
                    for p in 0..P {
                        from[p] = from[p].wrapping_add(inputs.gap);
                    }
                }
                let mut left = inputs.row_len;
                if !(left / GROUP).is_multiple_of(2) {
                    let mut x = [vdupq_n_s8(0); P];
                    for p in 0..P {
                        x[p] = next_group(&mut from[p]);
                    }
                    for q in 0..Q {
                        let w = vld1q_s8(weights.add(16 * q));
                        for p in 0..P {
                            let low = vmull_s8(vget_low_s8(w), vget_low_s8(x[p]));
                            halves[p][q][0] = vpadalq_s16(halves[p][q][0], low);
                            halves[p][q][1] = vpadalq_s16(halves[p][q][1], vmull_high_s8(w, x[p]));
                        }
                    }
                    (weights, left) = (weights.add(16 * Q), left - GROUP);
                }
                while left > 0 {
                    let mut x = [[vdupq_n_s8(0); 2]; P];
                    for p in 0..P {
                        x[p] = [next_group(&mut from[p]), next_group(&mut from[p])];
                    }
                    for q in 0..Q {
                        let w = [vld1q_s8(weights.add(16 * q)), vld1q_s8(weights.add(16 * (Q + q)))];
                        for p in (0..P - 1).step_by(2) {
                            let (first, second) = halves.split_at_mut(p + 1);
                            add_products_of_two([&mut first[p][q], &mut second[0][q]], w, [x[p], x[p + 1]]);
                        }
                        if P % 2 == 1 {
                            add_products(&mut halves[P - 1][q], w, x[P - 1]);
                        }
                    }
                    (weights, left) = (weights.add(32 * Q), left - 2 * GROUP);
                }
            }
            add_all_pairs(halves)
        }
    }
}

/// The sums of all halves.
#[inline(always)]
fn add_all_pairs<const P: usize, const Q: usize>(halves: [[[int32x4_t; 2]; Q]; P]) -> [[int32x4_t; Q]; P] {
    // SAFETY: the processor has NEON.
    let mut sums = [[unsafe { vdupq_n_s32(0) }; Q]; P];
    for p in 0..P {
        for q in 0..Q {
            sums[p][q] = add_pairs(halves[p][q]);
        }
    }
    sums
}

/// The next four inputs of a patch, four times over.
///
/// # Safety
/// They are there.
#[inline(always)]
unsafe fn next_group(from: &mut *const i8) -> int8x16_t {
    let group: int8x16_t;
    // SAFETY: see above. The compiler would load half a register, and make the other half of it.
    unsafe {
        asm!(
            "ld1r {{ {group:v}.4s }}, [{from}], #4",
            group = out(vreg) group,
            from = inout(reg) *from,
            options(readonly, nostack, preserves_flags),
        );
    }
    group
}

/// Adds neighbours: the sums of four outputs from the halves of two each.
#[inline(always)]
fn add_pairs(halves: [int32x4_t; 2]) -> int32x4_t {
    let sums: int32x4_t;
    // SAFETY: registers are all that it touches. The compiler would make three instructions of it.
    unsafe {
        asm!(
            "addp {sums:v}.4s, {low:v}.4s, {high:v}.4s",
            sums = lateout(vreg) sums,
            low = in(vreg) halves[0],
            high = in(vreg) halves[1],
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// Adds the products of two groups of weights of four outputs with two groups of inputs of a patch.
#[inline(always)]
fn add_products([low, high]: &mut [int32x4_t; 2], w: [int8x16_t; 2], x: [int8x16_t; 2]) {
    // SAFETY: registers are all that it touches.
    unsafe {
        asm!(
            "smull {a:v}.8h, {w0:v}.8b, {x0:v}.8b",
            "smull2 {b:v}.8h, {w0:v}.16b, {x0:v}.16b",
            "smlal {a:v}.8h, {w1:v}.8b, {x1:v}.8b",
            "smlal2 {b:v}.8h, {w1:v}.16b, {x1:v}.16b",
            "sadalp {low:v}.4s, {a:v}.8h",
            "sadalp {high:v}.4s, {b:v}.8h",
            a = out(vreg) _,
            b = out(vreg) _,
            w0 = in(vreg) w[0],
            w1 = in(vreg) w[1],
            x0 = in(vreg) x[0],
            x1 = in(vreg) x[1],
            low = inout(vreg) *low,
            high = inout(vreg) *high,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
}

/// As [`add_products`], of two patches: an instruction need not wait for the one before it. Left to itself, the compiler
/// takes high halves apart and runs out of registers.
#[inline(always)]
fn add_products_of_two(halves: [&mut [int32x4_t; 2]; 2], w: [int8x16_t; 2], x: [[int8x16_t; 2]; 2]) {
    let [[low, high], [next_low, next_high]] = halves;
    // SAFETY: registers are all that it touches.
    unsafe {
        asm!(
            "smull {a:v}.8h, {w0:v}.8b, {x0:v}.8b",
            "smull {c:v}.8h, {w0:v}.8b, {y0:v}.8b",
            "smull2 {b:v}.8h, {w0:v}.16b, {x0:v}.16b",
            "smull2 {d:v}.8h, {w0:v}.16b, {y0:v}.16b",
            "smlal {a:v}.8h, {w1:v}.8b, {x1:v}.8b",
            "smlal {c:v}.8h, {w1:v}.8b, {y1:v}.8b",
            "smlal2 {b:v}.8h, {w1:v}.16b, {x1:v}.16b",
            "smlal2 {d:v}.8h, {w1:v}.16b, {y1:v}.16b",
            "sadalp {low:v}.4s, {a:v}.8h",
            "sadalp {next_low:v}.4s, {c:v}.8h",
            "sadalp {high:v}.4s, {b:v}.8h",
            "sadalp {next_high:v}.4s, {d:v}.8h",
            a = out(vreg) _,
            b = out(vreg) _,
            c = out(vreg) _,
            d = out(vreg) _,
            w0 = in(vreg) w[0],
            w1 = in(vreg) w[1],
            x0 = in(vreg) x[0][0],
            x1 = in(vreg) x[0][1],
            y0 = in(vreg) x[1][0],
            y1 = in(vreg) x[1][1],
            low = inout(vreg) *low,
            high = inout(vreg) *high,
            next_low = inout(vreg) *next_low,
            next_high = inout(vreg) *next_high,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
}
