//! Elementwise sum.

use crate::operator::{Add, Addend};
use crate::slices::part;

/// Each input shifted left by 20 and rescaled to a common scale, their sum rescaled to the output's, plus its zero
/// point, clamped.
///
/// `values` holds the first input and takes the output, `[height][width][channels]`; `second` has the same sides, or 1
/// where it is repeated.
pub fn add(op: &Add, second: &[i8], values: &mut [i8]) {
    let (whole, repeated) = (op.output.shape, op.second.tensor.shape);
    if repeated == whole {
        return add_each(op, second.iter(), values);
    }
    let [width, channels] = [whole.width, whole.channels].map(usize::from);
    let depth = usize::from(repeated.channels);
    // A side of 1 stays where it is.
    let across = if repeated.width == 1 { 0 } else { depth };
    let down = if repeated.height == 1 { 0 } else { depth * usize::from(repeated.width) };
    for (y, row) in values.chunks_exact_mut((width * channels).max(1)).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(channels.max(1)).enumerate() {
            add_each(op, part(second, y * down + x * across, depth).iter().cycle(), pixel);
        }
    }
}

/// The sum of every value with one of the second input's.
fn add_each<'a>(op: &Add, second: impl Iterator<Item = &'a i8>, values: &mut [i8]) {
    for (value, &other) in values.iter_mut().zip(second) {
        let sum = align(&op.first, *value) + align(&op.second, other);
        *value = op.activation.clamp(op.multiplier.rescale(sum) + i64::from(op.output.zero_point));
    }
}

/// One input value at the common scale. The multiplier is below 1, so that the result fits into 32 bits.
fn align(addend: &Addend, value: i8) -> i32 {
    let centred = i32::from(value) - i32::from(addend.tensor.zero_point);
    addend.multiplier.rescale(centred << Add::LEFT_SHIFT) as i32
}
