//! Mean over height and width.

use crate::operator::Mean;

/// Per channel the sum of `x - zero point`, rescaled by a multiplier that has the division in it, plus the output's
/// zero point, clamped. `input` is `[pixels][channels]`, `output` `[channels]`.
pub fn mean(op: &Mean, input: &[i8], output: &mut [i8]) {
    let channels = usize::from(op.input.shape.channels).max(1);
    let zero_points = op.input.shape.pixels() as i32 * i32::from(op.input.zero_point);
    for (channel, out) in output.iter_mut().enumerate() {
        let sum: i32 = input.iter().skip(channel).step_by(channels).map(|&x| i32::from(x)).sum();
        *out =
            op.activation.clamp(op.multiplier.rescale(sum - zero_points) + i64::from(op.output.zero_point));
    }
}
