//! Values from a register into memory.

use core::arch::aarch64::*;

/// Stores part `part` of 16 values: a half of them, or a quarter, or the first three quarters, or all.
///
/// # Safety
/// There is room for `4 Q` values.
#[inline(always)]
pub unsafe fn store<const Q: usize>(to: *mut i8, values: int8x16_t, part: usize) {
    // SAFETY: see above.
    unsafe {
        let (quads, pairs) = (vreinterpretq_s32_s8(values), vreinterpretq_s64_s8(values));
        match (Q, part) {
            (1, 0) => to.cast::<i32>().write_unaligned(vgetq_lane_s32::<0>(quads)),
            (1, 1) => to.cast::<i32>().write_unaligned(vgetq_lane_s32::<1>(quads)),
            (1, 2) => to.cast::<i32>().write_unaligned(vgetq_lane_s32::<2>(quads)),
            (1, _) => to.cast::<i32>().write_unaligned(vgetq_lane_s32::<3>(quads)),
            (2, 0) => to.cast::<i64>().write_unaligned(vgetq_lane_s64::<0>(pairs)),
            (2, _) => to.cast::<i64>().write_unaligned(vgetq_lane_s64::<1>(pairs)),
            (3, _) => {
                to.cast::<i64>().write_unaligned(vgetq_lane_s64::<0>(pairs));
                to.add(8).cast::<i32>().write_unaligned(vgetq_lane_s32::<2>(quads));
            }
            _ => vst1q_s8(to, values),
        }
    }
}
