//! HARD_SWISH as TensorFlow Lite's reference computes it, all in 16 bits (`hard_swish.h`): no rounding of the contract is in it.

use crate::quantize::activations::Quantisation;
use crate::quantize::multiplier::multiplier;
use anyhow::{Result, ensure};

/// What TensorFlow Lite gives for each input.
///
/// # Errors
/// If the output's scale is not above a 128th of the input's: the reference refuses that too.
pub(super) fn table(input: Quantisation, output: Quantisation) -> Result<[i8; 256]> {
    // Inputs are taken seven bits finer.
    let fine = (1.0f32 / 128.0) * input.scale;
    let to_output = multiplier(f64::from(fine / output.scale));
    let to_relu = multiplier(f64::from(fine / (3.0f32 / 32768.0)));
    ensure!(
        to_output.shift <= 0,
        "its output's scale {} is not above a 128th of its input's {}: quantise it again with real samples",
        output.scale,
        input.scale
    );
    Ok(std::array::from_fn(|index| {
        let value = (index as i32 - 128 - i32::from(input.zero_point)) * 128;
        let scaled = high_product(value, half(to_output.mantissa));
        let relu = relu(value, half(to_relu.mantissa), to_relu.shift.into());
        // Truncated towards 0.
        let product = relu * scaled / 32768;
        let rounded = rounded_shift(product, -i32::from(to_output.shift));
        (rounded + i32::from(output.zero_point)).clamp(-128, 127) as i8
    }))
}

/// `(x + 3) / 6` between 0 and 1, of 32768.
fn relu(value: i32, by: i32, shift: i32) -> i32 {
    let shifted = if shift > 0 { saturated(i64::from(value) << (shift - 1)) } else { value };
    let product = high_product(shifted, by);
    let three = match shift {
        1.. => saturated(i64::from(product) << 1),
        0 => product,
        _ => rounded_shift(product, -shift),
    };
    (three + 32768) >> 1
}

/// A mantissa of 31 bits in 15.
fn half(mantissa: i32) -> i32 {
    if mantissa >= i32::MAX - (1 << 15) { 32767 } else { (mantissa + (1 << 15)) >> 16 }
}

fn saturated(value: i64) -> i32 {
    value.clamp(-32768, 32767) as i32
}

/// `a * b / 2^15`, halves away from 0, of numbers of 16 bits.
fn high_product(a: i32, b: i32) -> i32 {
    let product = a * b;
    (product + if product >= 0 { 1 << 14 } else { 1 - (1 << 14) }) / (1 << 15)
}

/// `value / 2^shift`, halves away from 0.
fn rounded_shift(value: i32, shift: i32) -> i32 {
    let shift = shift.min(31);
    let mask = (1i64 << shift) - 1;
    let rest = i64::from(value) & mask;
    let threshold = (mask >> 1) + i64::from(value < 0);
    (i64::from(value) >> shift) as i32 + i32::from(rest > threshold)
}
