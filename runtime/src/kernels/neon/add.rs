//! Elementwise sum.

use super::rescale::{Finish, Rescale};
use crate::operator::{Add, Addend};
use core::arch::aarch64::*;

/// Values computed at once.
const LANES: usize = 16;

/// Whether the sum's multiplier is small, and the second input as long as the first and as a register.
pub(super) fn fits(op: &Add, second: &[i8], values: &[i8]) -> bool {
    Rescale::is_exact(op.multiplier) && second.len() == values.len() && values.len() >= LANES
}

/// See [`Kernels::add`](crate::kernels::Kernels::add), of a sum that [`fits`].
#[target_feature(enable = "neon")]
pub(super) fn add(op: &Add, second: &[i8], values: &mut [i8]) {
    let inputs = [Align::new(&op.first), Align::new(&op.second)];
    let (rescale, finish) = (Rescale::all(op.multiplier), Finish::new(op.output.zero_point, op.activation));
    // The last sixteen, which overlap the others, are read before those are written.
    let last = values.len().saturating_sub(LANES);
    let compute = |at: usize, values: *const i8| {
        // SAFETY: 16 values lie from `at` on, in both inputs.
        let (a, b) = unsafe { (vld1q_s8(values.add(at)), vld1q_s8(second.as_ptr().add(at))) };
        let (a, b) = (inputs[0].apply(a), inputs[1].apply(b));
        let sum = |quad: usize| rescale.apply(vaddq_s32(a[quad], b[quad]));
        let mut sums = [finish.sixteen(finish.eight(sum(0), sum(1)), finish.eight(sum(2), sum(3)))];
        finish.clamp(&mut sums);
        sums[0]
    };
    let end = compute(last, values.as_ptr());
    let mut at = 0;
    while at < last {
        let sums = compute(at, values.as_ptr());
        // SAFETY: at most the last value but one is where the last sixteen begin.
        unsafe { vst1q_s8(values.as_mut_ptr().add(at), sums) };
        at += LANES;
    }
    // SAFETY: the slice has as many values.
    unsafe { vst1q_s8(values.as_mut_ptr().add(last), end) };
}

/// An input brought to the common scale.
///
/// `floor(c * 2^20 * mantissa / 2^n + 1/2)` with `n = 31 - shift` is `floor(c * 2^22 * mantissa / 2^31)` shifted right by
/// `2 - shift >= 2` and rounded: see [`Rescale`]. `|c * 2^22|` is below `2^30`.
struct Align {
    zero_point: int8x8_t,
    mantissa: int32x4_t,
    shift: int32x4_t,
}

impl Align {
    #[inline]
    #[target_feature(enable = "neon")]
    fn new(addend: &Addend) -> Self {
        Self {
            zero_point: vdup_n_s8(addend.tensor.zero_point),
            mantissa: vdupq_n_s32(addend.multiplier.mantissa),
            shift: vdupq_n_s32(i32::from(addend.multiplier.shift) - 2),
        }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn apply(&self, values: int8x16_t) -> [int32x4_t; 4] {
        let low = vshlq_n_s16::<7>(vsubl_s8(vget_low_s8(values), self.zero_point));
        let high = vshlq_n_s16::<7>(vsubl_s8(vget_high_s8(values), self.zero_point));
        let wide = [
            vshll_n_s16::<15>(vget_low_s16(low)),
            vshll_high_n_s16::<15>(low),
            vshll_n_s16::<15>(vget_low_s16(high)),
            vshll_high_n_s16::<15>(high),
        ];
        wide.map(|x| vrshlq_s32(vqdmulhq_s32(x, self.mantissa), self.shift))
    }
}
