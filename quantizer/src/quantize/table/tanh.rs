//! TANH as TensorFlow Lite's reference computes it (`integer_ops/tanh.h`), with gemmlowp's fixed-point exponential and reciprocal.

use crate::quantize::activations::Quantisation;
use anyhow::{Result, ensure};

/// What the reference takes for granted.
const OUTPUT: Quantisation = Quantisation { scale: 1.0 / 128.0, zero_point: 0 };

/// What TensorFlow Lite gives for each input.
///
/// # Errors
/// If the output is not in steps of 1/128 around 0.
pub(super) fn table(input: Quantisation, output: Quantisation) -> Result<[i8; 256]> {
    ensure!(output == OUTPUT, "its output has {output:?}: scale 1/128 and zero point 0 are expected");
    // Inputs become Q4.27; `m * 2^e` is that of one step, `m` in 31 bits.
    let step = f64::from(input.scale) * f64::from(1 << 27);
    let exponent = step.log2().floor() as i32 + 1;
    let mantissa = (step / 2f64.powi(exponent) * 2f64.powi(31) + 0.5).floor() as i64;
    // Beyond 15 nothing changes.
    let radius = (15.0 * f64::from(1 << 27) / 2f64.powi(exponent)).floor();
    Ok(std::array::from_fn(|index| {
        let value = index as i64 - 128 - i64::from(input.zero_point);
        match value as f64 {
            low if low <= -radius => -128,
            high if high >= radius => 127,
            _ => {
                let fine = (value * mantissa + (1 << (30 - exponent))) >> (31 - exponent);
                rounded_shift(tanh(fine), 24).clamp(-128, 127) as i8
            }
        }
    }))
}

/// The largest number of 32 bits, 1 in Q0.31.
const ONE: i64 = i32::MAX as i64;

/// The hyperbolic tangent in Q0.31 of a number in Q4.27, whose double is the same bits in Q5.26.
fn tanh(x: i64) -> i64 {
    if x == 0 {
        return 0;
    }
    let positive = saturated((twice_reciprocal_of_one_plus(exponential(-x.abs())) - (1 << 29)) << 2);
    if x < 0 { -positive } else { positive }
}

/// `e^a` in Q0.31 of a negative `a` in Q5.26: the last quarter by a polynomial, what is before it by products.
fn exponential(a: i64) -> i64 {
    const QUARTER: i64 = 1 << 24;
    /// `e^-(2^power)`, from a quarter to 16, in Q0.31.
    const POWERS: [i64; 7] = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];
    if a == 0 {
        return ONE;
    }
    let last = (a & (QUARTER - 1)) - QUARTER;
    let rest = last - a;
    // Around an eighth below 0: Q0.31 of the distance, and e^(-1/8).
    let x = saturated(last << 5) + (1 << 28);
    let constant = 1895147668;
    let x2 = high_product(x, x);
    let (x3, x4) = (high_product(x2, x), high_product(x2, x2));
    let sum = rounded_shift(high_product(rounded_shift(x4, 2) + x3, 715827883) + x2, 1);
    let mut result = constant + high_product(constant, x + sum);
    for (bit, power) in (24..).zip(POWERS) {
        if rest & (1 << bit) != 0 {
            result = high_product(result, power);
        }
    }
    result
}

/// `2 / (1 + x)` in Q2.29 of x in Q0.31 between 0 and 1, by Newton's method.
fn twice_reciprocal_of_one_plus(x: i64) -> i64 {
    let half = (x + ONE + 1) / 2;
    let mut z = 1515870810 + high_product(half, -1010580540);
    for _ in 0..3 {
        let rest = (1 << 29) - high_product(half, z);
        z += saturated(high_product(z, rest) << 2);
    }
    z
}

fn saturated(value: i64) -> i64 {
    value.clamp(i32::MIN.into(), i32::MAX.into())
}

/// `a * b / 2^31`, halves away from 0.
fn high_product(a: i64, b: i64) -> i64 {
    let product = a * b;
    (product + if product >= 0 { 1 << 30 } else { 1 - (1 << 30) }) / (1 << 31)
}

/// `value / 2^shift`, halves away from 0.
fn rounded_shift(value: i64, shift: u32) -> i64 {
    let mask = (1 << shift) - 1;
    let threshold = (mask >> 1) + i64::from(value < 0);
    (value >> shift) + i64::from(value & mask > threshold)
}
