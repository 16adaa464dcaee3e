//! Products of bytes widened to 16 bits, two of them added before they are widened to 32.

use super::depthwise::Filter;
use super::product::Multiply;
use crate::kernels::shapes::KERNEL;
use crate::packing::GROUP;
use core::arch::aarch64::*;
use core::arch::asm;

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
            // Of each output two sums, of the even and the odd pairs of inputs: one begins with the bias.
            let mut halves = [[[vdupq_n_s32(0); 2]; Q]; P];
            for p in 0..P {
                for q in 0..Q {
                    let zero = vdupq_n_s32(0);
                    halves[p][q] = [vzip1q_s32(bias[q], zero), vzip2q_s32(bias[q], zero)];
                }
            }
            let mut weights = weights;
            let mut from = [patches; P];
            for p in 1..P {
                from[p] = from[p - 1].add(depth);
            }
            let mut left = depth;
            if !(depth / GROUP).is_multiple_of(2) {
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
            let mut sums = [*bias; P];
            for p in 0..P {
                for q in 0..Q {
                    sums[p][q] = add_pairs(halves[p][q]);
                }
            }
            sums
        }
    }
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
                    let int8x8x4_t(first, second, third, zeros) = vld4_s8(from);
                    keep(vcombine_s8(zeros, zeros));
                    let none = vdup_n_s8(0);
                    [vcombine_s8(first, none), vcombine_s8(second, none), vcombine_s8(third, none)]
                } else {
                    let int8x16x4_t(first, second, third, zeros) = vld4q_s8(from);
                    keep(zeros);
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
        let mut sums = *bias;
        let tap = |tap: usize| [weights[tap / KERNEL][tap % KERNEL], columns[tap / KERNEL][tap % KERNEL]];
        for first in [0, 4] {
            add_four_taps(&mut sums, [tap(first), tap(first + 1), tap(first + 2), tap(first + 3)]);
        }
        add_tap(&mut sums, tap(8));
        sums
    }
}

/// Adds weights times values, a channel a byte. Two products are added in 16 bits. The order is one in which an
/// instruction need not wait for the one before it.
#[inline(always)]
fn add_four_taps<const Q: usize>(sums: &mut [int32x4_t; Q], taps: [[int8x16_t; 2]; 4]) {
    // SAFETY: registers are all that it touches.
    unsafe {
        if Q == 2 {
            asm!(
                "smull {a:v}.8h, {w0:v}.8b, {x0:v}.8b",
                "smull {c:v}.8h, {w2:v}.8b, {x2:v}.8b",
                "smlal {a:v}.8h, {w1:v}.8b, {x1:v}.8b",
                "smlal {c:v}.8h, {w3:v}.8b, {x3:v}.8b",
                "saddw {s0:v}.4s, {s0:v}.4s, {a:v}.4h",
                "saddw2 {s1:v}.4s, {s1:v}.4s, {a:v}.8h",
                "saddw {s0:v}.4s, {s0:v}.4s, {c:v}.4h",
                "saddw2 {s1:v}.4s, {s1:v}.4s, {c:v}.8h",
                a = out(vreg) _,
                c = out(vreg) _,
                w0 = in(vreg) taps[0][0],
                x0 = in(vreg) taps[0][1],
                w1 = in(vreg) taps[1][0],
                x1 = in(vreg) taps[1][1],
                w2 = in(vreg) taps[2][0],
                x2 = in(vreg) taps[2][1],
                w3 = in(vreg) taps[3][0],
                x3 = in(vreg) taps[3][1],
                s0 = inout(vreg) sums[0],
                s1 = inout(vreg) sums[1],
                options(pure, nomem, nostack, preserves_flags),
            );
        } else {
            asm!(
                "smull {a:v}.8h, {w0:v}.8b, {x0:v}.8b",
                "smull2 {b:v}.8h, {w0:v}.16b, {x0:v}.16b",
                "smull {c:v}.8h, {w2:v}.8b, {x2:v}.8b",
                "smull2 {d:v}.8h, {w2:v}.16b, {x2:v}.16b",
                "smlal {a:v}.8h, {w1:v}.8b, {x1:v}.8b",
                "smlal2 {b:v}.8h, {w1:v}.16b, {x1:v}.16b",
                "smlal {c:v}.8h, {w3:v}.8b, {x3:v}.8b",
                "smlal2 {d:v}.8h, {w3:v}.16b, {x3:v}.16b",
                "saddw {s0:v}.4s, {s0:v}.4s, {a:v}.4h",
                "saddw2 {s1:v}.4s, {s1:v}.4s, {a:v}.8h",
                "saddw {s2:v}.4s, {s2:v}.4s, {b:v}.4h",
                "saddw2 {s3:v}.4s, {s3:v}.4s, {b:v}.8h",
                "saddw {s0:v}.4s, {s0:v}.4s, {c:v}.4h",
                "saddw2 {s1:v}.4s, {s1:v}.4s, {c:v}.8h",
                "saddw {s2:v}.4s, {s2:v}.4s, {d:v}.4h",
                "saddw2 {s3:v}.4s, {s3:v}.4s, {d:v}.8h",
                a = out(vreg) _,
                b = out(vreg) _,
                c = out(vreg) _,
                d = out(vreg) _,
                w0 = in(vreg) taps[0][0],
                x0 = in(vreg) taps[0][1],
                w1 = in(vreg) taps[1][0],
                x1 = in(vreg) taps[1][1],
                w2 = in(vreg) taps[2][0],
                x2 = in(vreg) taps[2][1],
                w3 = in(vreg) taps[3][0],
                x3 = in(vreg) taps[3][1],
                s0 = inout(vreg) sums[0],
                s1 = inout(vreg) sums[1],
                s2 = inout(vreg) sums[Q - 2],
                s3 = inout(vreg) sums[Q - 1],
                options(pure, nomem, nostack, preserves_flags),
            );
        }
    }
}

/// Adds a weight times a value, a channel a byte.
#[inline(always)]
fn add_tap<const Q: usize>(sums: &mut [int32x4_t; Q], [w, x]: [int8x16_t; 2]) {
    // SAFETY: registers are all that it touches.
    unsafe {
        if Q == 2 {
            asm!(
                "smull {a:v}.8h, {w:v}.8b, {x:v}.8b",
                "saddw {s0:v}.4s, {s0:v}.4s, {a:v}.4h",
                "saddw2 {s1:v}.4s, {s1:v}.4s, {a:v}.8h",
                a = out(vreg) _,
                w = in(vreg) w,
                x = in(vreg) x,
                s0 = inout(vreg) sums[0],
                s1 = inout(vreg) sums[1],
                options(pure, nomem, nostack, preserves_flags),
            );
        } else {
            asm!(
                "smull {a:v}.8h, {w:v}.8b, {x:v}.8b",
                "smull2 {b:v}.8h, {w:v}.16b, {x:v}.16b",
                "saddw {s0:v}.4s, {s0:v}.4s, {a:v}.4h",
                "saddw2 {s1:v}.4s, {s1:v}.4s, {a:v}.8h",
                "saddw {s2:v}.4s, {s2:v}.4s, {b:v}.4h",
                "saddw2 {s3:v}.4s, {s3:v}.4s, {b:v}.8h",
                a = out(vreg) _,
                b = out(vreg) _,
                w = in(vreg) w,
                x = in(vreg) x,
                s0 = inout(vreg) sums[0],
                s1 = inout(vreg) sums[1],
                s2 = inout(vreg) sums[Q - 2],
                s3 = inout(vreg) sums[Q - 1],
                options(pure, nomem, nostack, preserves_flags),
            );
        }
    }
}

/// Says that a value is used: a load that deals out bytes to four registers, one of which is not, the compiler would make
/// of single bytes.
#[inline(always)]
fn keep(value: int8x16_t) {
    // SAFETY: it does nothing.
    unsafe { asm!("/* {0} */", in(vreg) value, options(nomem, nostack, preserves_flags)) };
}
