//! Elementwise sum.

use crate::operator::{Add, Addend};

/// Each input shifted left by 20 and rescaled to a common scale, their sum rescaled to the output's, plus its zero
/// point, clamped.
///
/// `values` holds the first input and takes the output; `second` is as long, or shorter and repeated.
pub fn add(op: &Add, second: &[i8], values: &mut [i8]) {
    for (value, &other) in values.iter_mut().zip(second.iter().cycle()) {
        let sum = align(&op.first, *value) + align(&op.second, other);
        *value = op.activation.clamp(op.multiplier.rescale(sum) + i64::from(op.output.zero_point));
    }
}

/// One input value at the common scale. The multiplier is below 1, so that the result fits into 32 bits.
fn align(addend: &Addend, value: i8) -> i32 {
    let centred = i32::from(value) - i32::from(addend.tensor.zero_point);
    addend.multiplier.rescale(centred << Add::LEFT_SHIFT) as i32
}
