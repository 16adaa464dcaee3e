//! Elementwise sum.

use super::clamp;
use super::instructions::{high_product, saturate};
use crate::operator::{Add, Addend};

/// Largest right shift with which the rounding constant and a zero point fit into 32 bits.
const MOST: i32 = 23;

/// An input brought to the common scale.
///
/// `floor(c * 2^20 * mantissa / 2^n + 1/2)` with `n = 31 - shift` is the high half of `c * 2^23 * mantissa`, shifted right by
/// `k = 2 - shift >= 2` and rounded.
struct Align {
    /// Times 2^23.
    zero_point: i32,
    mantissa: i32,
    half: i32,
    shift: u32,
}

impl Align {
    /// [`None`] if the rounding constant is too large.
    fn new(addend: &Addend) -> Option<Self> {
        let shift = 2u32.wrapping_sub(i32::from(addend.multiplier.shift) as u32);
        (2..=30).contains(&shift).then(|| Self {
            zero_point: i32::from(addend.tensor.zero_point) << 23,
            mantissa: addend.multiplier.mantissa,
            half: 1 << (shift - 1),
            shift,
        })
    }

    #[inline(always)]
    fn apply(&self, value: i8) -> i32 {
        let centred = (i32::from(value) << 23).wrapping_sub(self.zero_point);
        high_product(centred, self.mantissa, self.half) >> self.shift
    }
}

/// See [`Kernels::add`](crate::kernels::Kernels::add), of inputs that are as long; false, and nothing done, where a shift is
/// beyond the fast form.
pub(super) fn add(op: &Add, second: &[i8], values: &mut [i8]) -> bool {
    // Of a product's high half; see `multiply`.
    let shift = -1 - i32::from(op.multiplier.shift);
    let (Some(a), Some(b)) = (Align::new(&op.first), Align::new(&op.second)) else { return false };
    if second.len() != values.len() || !(1..=MOST).contains(&shift) {
        return false;
    }
    let offset = (2 * i32::from(op.output.zero_point) + 1) << (shift - 1);
    for (value, &other) in values.iter_mut().zip(second) {
        let sum = a.apply(*value).wrapping_add(b.apply(other));
        *value = saturate(high_product(sum, op.multiplier.mantissa, offset) >> shift) as i8;
    }
    clamp::clamp(op.activation, values);
    true
}
