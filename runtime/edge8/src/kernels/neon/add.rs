//! Elementwise sum.

use super::rescale::{Finish, Rescale};
use crate::operator::{Add, Addend};
use core::arch::aarch64::*;
use core::arch::asm;

/// Values computed at once.
const LANES: usize = 16;

/// Whether the multipliers are as small as need be, and the second input is as long as the first and as a register.
pub(super) fn fits(op: &Add, second: &[i8], values: &[i8]) -> bool {
    Rescale::is_exact(op.multiplier)
        && Align::fits(&op.first)
        && Align::fits(&op.second)
        && second.len() == values.len()
        && values.len() >= LANES
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
/// `floor(c * 2^20 * mantissa / 2^n + 1/2)` with `n = 31 - shift` is what `sqrdmulh` makes of `c * 2^(20 + shift)`: it rounds
/// `a * b / 2^31`. `|c|` is below `2^8`: 16 bits hold it shifted by up to 7, and what is left is [`Self::WIDEN`].
struct Align {
    zero_point: int8x16_t,
    mantissa: int32x4_t,
    shift: int16x8_t,
}

impl Align {
    /// By how much values are shifted when they become 32 bits wide.
    const WIDEN: i32 = 13;

    /// Whether the shift is one for it.
    fn fits(addend: &Addend) -> bool {
        (0..=7).contains(&Self::shift(addend))
    }

    fn shift(addend: &Addend) -> i32 {
        Add::LEFT_SHIFT as i32 - Self::WIDEN + i32::from(addend.multiplier.shift)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn new(addend: &Addend) -> Self {
        Self {
            zero_point: vdupq_n_s8(addend.tensor.zero_point),
            mantissa: vdupq_n_s32(addend.multiplier.mantissa),
            shift: vdupq_n_s16(Self::shift(addend) as i16),
        }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn apply(&self, values: int8x16_t) -> [int32x4_t; 4] {
        let low = vshlq_s16(vsubl_s8(vget_low_s8(values), vget_low_s8(self.zero_point)), self.shift);
        let high: int16x8_t;
        // SAFETY: registers are all that it touches. The compiler would move the upper half down.
        unsafe {
            asm!(
                "ssubl2 {high:v}.8h, {values:v}.16b, {zero_point:v}.16b",
                high = lateout(vreg) high,
                values = in(vreg) values,
                zero_point = in(vreg) self.zero_point,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        let high = vshlq_s16(high, self.shift);
        let mut wide = [
            vshll_n_s16::<{ Self::WIDEN }>(vget_low_s16(low)),
            vshll_high_n_s16::<{ Self::WIDEN }>(low),
            vshll_n_s16::<{ Self::WIDEN }>(vget_low_s16(high)),
            vshll_high_n_s16::<{ Self::WIDEN }>(high),
        ];
        for quad in 0..4 {
            wide[quad] = vqrdmulhq_s32(wide[quad], self.mantissa);
        }
        wide
    }
}
