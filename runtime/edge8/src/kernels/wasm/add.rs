//! Elementwise sum.

use super::rescale::{Finish, Rescale};
use crate::operator::{Add, Addend, PerChannel};
use core::arch::wasm32::*;

/// Values at a time.
const STEP: usize = 16;

/// Whether the multipliers have a fast form, and the second input is as long as the first and as a register.
pub(super) fn fits(op: &Add, second: &[i8], values: &[i8]) -> bool {
    op.multiplier.shift <= PerChannel::SMALL_SHIFT
        && [op.first, op.second].iter().all(|addend| addend.multiplier.shift >= Align::SMALLEST_SHIFT)
        && second.len() == values.len()
        && values.len() >= STEP
}

/// See [`Kernels::add`](crate::kernels::Kernels::add), of a sum that [`fits`].
pub(super) fn add(op: &Add, second: &[i8], values: &mut [i8]) {
    let (one, other) = (Align::new(&op.first), Align::new(&op.second));
    let (rescale, finish) = (Rescale::small(op.multiplier), Finish::new(op.output.zero_point, op.activation));
    let compute = |at: usize, values: *const i8| {
        // SAFETY: 16 values lie from `at` on, in both inputs.
        let (a, b) = unsafe { (v128_load(values.add(at).cast()), v128_load(second.as_ptr().add(at).cast())) };
        let (a, b) = (one.apply(a), other.apply(b));
        let sum = |quad: usize| rescale.apply(i32x4_add(a[quad], b[quad]));
        finish.sixteen(finish.eight(sum(0), sum(1)), finish.eight(sum(2), sum(3)))
    };
    // The last sixteen, which overlap the others, are read before those are written.
    let last = values.len() - STEP;
    let end = compute(last, values.as_ptr());
    for at in (0..last).step_by(STEP) {
        let sums = compute(at, values.as_ptr());
        // SAFETY: the last sixteen begin after `at`.
        unsafe { v128_store(values.as_mut_ptr().add(at).cast(), sums) };
    }
    // SAFETY: the slice has as many values.
    unsafe { v128_store(values.as_mut_ptr().add(last).cast(), end) };
}

/// An input brought to the common scale.
///
/// `floor(c * 2^20 * mantissa / 2^n + 1/2)` with `n = 31 - shift` is that of `c * 2^22` and `n + 2`: see [`Rescale`].
/// `|c * 2^22|` is below `2^30`.
struct Align {
    zero_point: v128,
    rescale: Rescale,
}

impl Align {
    /// Of those with a fast form.
    const SMALLEST_SHIFT: i8 = -30;

    fn new(addend: &Addend) -> Self {
        let right = (1 - i32::from(addend.multiplier.shift)) as u32;
        Self {
            zero_point: i16x8_splat(addend.tensor.zero_point.into()),
            rescale: Rescale::new(addend.multiplier.mantissa, right),
        }
    }

    #[inline(always)]
    fn apply(&self, values: v128) -> [v128; 4] {
        let low = i16x8_sub(i16x8_extend_low_i8x16(values), self.zero_point);
        let high = i16x8_sub(i16x8_extend_high_i8x16(values), self.zero_point);
        let wide = [
            i32x4_extend_low_i16x8(low),
            i32x4_extend_high_i16x8(low),
            i32x4_extend_low_i16x8(high),
            i32x4_extend_high_i16x8(high),
        ];
        wide.map(|x| self.rescale.apply(i32x4_shl(x, Add::LEFT_SHIFT + 2)))
    }
}
