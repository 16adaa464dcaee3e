//! Elementwise sum.

use crate::operator::{Add, Addend};

/// Each input shifted left by 20 and rescaled to a common scale, their sum rescaled to the output's, plus its zero
/// point, clamped. All three slices have the same length.
pub fn add(op: &Add, first: &[i8], second: &[i8], output: &mut [i8]) {
    for ((out, &a), &b) in output.iter_mut().zip(first).zip(second) {
        let sum = align(&op.first, a) + align(&op.second, b);
        *out = op.activation.clamp(op.multiplier.rescale(sum) + i64::from(op.output.zero_point));
    }
}

/// One input value at the common scale. The multiplier is below 1, so that the result fits into 32 bits.
fn align(addend: &Addend, value: i8) -> i32 {
    let centred = i32::from(value) - i32::from(addend.tensor.zero_point);
    addend.multiplier.rescale(centred << Add::LEFT_SHIFT) as i32
}
