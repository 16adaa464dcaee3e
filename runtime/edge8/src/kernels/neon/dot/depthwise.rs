//! Depthwise filters by `sdot`, the three rows of a column side by side.

use super::{Dot, walk};
use crate::kernels::neon::depthwise::{Blocks, Filter};
use crate::kernels::shapes::KERNEL;
use crate::packing::GROUP;
use core::arch::aarch64::*;
use core::arch::asm;

/// A depthwise kernel of `4 Q` channels: the weights where they lie, for registers are scarce.
pub(in crate::kernels::neon) struct Weights<const Q: usize> {
    /// The weights of each column, 4 channels a register.
    columns: [*const i8; KERNEL],
    /// Where each lane of each register of a column finds its bytes in those of three rows.
    order: [uint8x16_t; Q],
}

impl<const Q: usize> Filter<Q> for Dot {
    type Shared = [uint8x16_t; Q];

    type Weights = Weights<Q>;

    /// 4 channels a register: in each lane the bytes of the three rows, and 0.
    type Column = [int8x16_t; Q];

    #[inline(always)]
    unsafe fn shared() -> Self::Shared {
        // SAFETY: the processor has NEON.
        unsafe {
            let mut order = vld1q_u8(walk::ORDER.as_ptr());
            // Without this the compiler would load each order anew, from an address that it would compute anew.
            asm!("/* {0:v} */", inlateout(vreg) order, options(nomem, nostack, preserves_flags));
            let mut orders = [order; Q];
            for quad in 1..Q {
                // 255 stays beyond the end.
                orders[quad] = vqaddq_u8(order, vdupq_n_u8(4 * quad as u8));
            }
            orders
        }
    }

    #[inline(always)]
    unsafe fn weights(order: Self::Shared, from: *const i8, channels: usize) -> Self::Weights {
        // SAFETY: see the trait.
        Weights { columns: [0, 1, 2].map(|column| unsafe { from.add(GROUP * column * channels) }), order }
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
    unsafe fn blocks(blocks: &Blocks) {
        // SAFETY: see the trait.
        unsafe { walk::blocks(blocks, <Self as Filter<4>>::shared()) }
    }

    #[inline(always)]
    unsafe fn add(
        mut sums: [int32x4_t; Q],
        weights: &Self::Weights,
        columns: [Self::Column; KERNEL],
    ) -> [int32x4_t; Q] {
        // SAFETY: see the trait.
        unsafe {
            for column in 0..KERNEL {
                for quad in 0..Q {
                    let w = vld1q_s8(weights.columns[column].add(16 * quad));
                    sums[quad] = dot(sums[quad], w, columns[column][quad]);
                }
            }
        }
        sums
    }
}

/// `sum + w * x` over each group of 4.
///
/// # Safety
/// The processor has `sdot`.
#[inline(always)]
unsafe fn dot(mut sum: int32x4_t, w: int8x16_t, x: int8x16_t) -> int32x4_t {
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
