//! Depthwise filters, a channel a byte.

use super::{Plain, walk};
use crate::kernels::neon::depthwise::{Blocks, Filter};
use crate::kernels::shapes::KERNEL;
use crate::packing::GROUP;
use core::arch::aarch64::*;
use core::arch::asm;

impl<const Q: usize> Filter<Q> for Plain {
    type Shared = ();

    /// The weights of each column and row, a channel a byte.
    type Weights = [[int8x16_t; KERNEL]; KERNEL];

    /// The values of each row, a channel a byte.
    type Column = [int8x16_t; KERNEL];

    #[inline(always)]
    unsafe fn shared() {}

    #[inline(always)]
    unsafe fn weights((): (), from: *const i8, channels: usize) -> Self::Weights {
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
    unsafe fn blocks(blocks: &Blocks) {
        // SAFETY: see the trait.
        unsafe { walk::blocks(blocks) }
    }

    #[inline(always)]
    unsafe fn add(
        mut sums: [int32x4_t; Q],
        weights: &Self::Weights,
        columns: [Self::Column; KERNEL],
    ) -> [int32x4_t; Q] {
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
    unsafe { asm!("/* {0:v} */", in(vreg) value, options(nomem, nostack, preserves_flags)) };
}
