//! Softmax in fixed point, bit for bit TensorFlow Lite's reference, whose inner arithmetic is gemmlowp's: Q notation
//! counts integer and fractional bits, products round half away from zero.

use crate::operator::Softmax;
use crate::slices::not_unrolled;

/// Softmax over the channels of each pixel, in place. `values` is `[pixels][channels]`; the output's scale is 1/256,
/// its zero point -128.
pub fn softmax(op: &Softmax, values: &mut [i8]) {
    for pixel in values.chunks_exact_mut(usize::from(op.input.shape.channels).max(1)) {
        let max = pixel.iter().fold(i8::MIN, |max, &value| {
            not_unrolled();
            max.max(value)
        });
        // The sum in Q12.19. The largest input alone contributes 2^19.
        let sum: i32 = pixel
            .iter()
            .filter_map(|&x| {
                not_unrolled();
                exponential(op, x, max)
            })
            .map(|e| round_shift(e.into(), 12) as i32)
            .sum();
        let (scale, shift) = reciprocal(sum);
        for value in pixel {
            not_unrolled();
            let probability = match exponential(op, *value, max) {
                Some(e) => round_shift(product(scale, e).into(), shift.wrapping_add(31 - 8)) - 128,
                None => -128,
            };
            *value = probability.clamp(-128, 127) as i8;
        }
    }
}

/// `exp` of the scaled difference to the maximum, in Q0.31; [`None`] where it is too far below to count.
#[cfg_attr(device, inline(never))]
fn exponential(op: &Softmax, x: i8, max: i8) -> Option<i32> {
    let difference = i32::from(x) - i32::from(max);
    (difference >= op.diff_min).then(|| exp_on_negative(op.multiplier.rescale(difference) as i32))
}

/// `exp(a)` in Q0.31 for `a <= 0` in Q5.26.
fn exp_on_negative(a: i32) -> i32 {
    /// `exp(-2^i)` in Q0.31 for i from -2 to 4.
    const POWERS: [i32; 7] =
        [1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242];
    const QUARTER: i32 = 1 << 24;
    if a == 0 {
        return i32::MAX;
    }
    let fraction = (a & (QUARTER - 1)) - QUARTER;
    let whole = fraction - a;
    let start = exp_near_minus_one_eighth(fraction << 5);
    POWERS.iter().enumerate().fold(start, |value, (index, &power)| {
        not_unrolled();
        if whole & (QUARTER << index) != 0 { product(value, power) } else { value }
    })
}

/// `exp(a)` in Q0.31 for `a` in [-1/4, 0), in Q0.31: a Taylor polynomial of degree 4 around -1/8.
fn exp_near_minus_one_eighth(a: i32) -> i32 {
    const EXP_MINUS_EIGHTH: i32 = 1_895_147_668;
    const THIRD: i32 = 715_827_883;
    let x = a + (1 << 28);
    let x2 = product(x, x);
    let x3 = product(x2, x);
    let x4 = product(x2, x2);
    let tail = round_shift((product(round_shift(x4.into(), 2) as i32 + x3, THIRD) + x2).into(), 1) as i32;
    EXP_MINUS_EIGHTH + product(EXP_MINUS_EIGHTH, x + tail)
}

/// `1 / sum` for a positive sum in Q12.19: a Q0.31 factor and the right shift that goes with it.
///
/// Three Newton-Raphson steps from `48/17 - 32/17 d`, in Q2.29.
fn reciprocal(sum: i32) -> (i32, u32) {
    let headroom = sum.leading_zeros();
    // In [0, 1), Q0.31: the sum without its leading one.
    let fraction = ((sum as u32) << (headroom & 31)) ^ (1 << 31);
    let half_denominator = ((i64::from(fraction) + i64::from(i32::MAX) + 1) / 2) as i32;
    let mut z = 1_515_870_810 + product(half_denominator, -1_010_580_540);
    for _ in 0..3 {
        not_unrolled();
        let error = (1 << 29) - product(half_denominator, z);
        z += saturating_shift(product(z, error), 2);
    }
    (saturating_shift(z, 1), 12u32.wrapping_sub(headroom))
}

/// `a * b` of Q0.31 numbers, rounded half away from zero; saturates for -1 * -1.
#[cfg_attr(device, inline(never))]
fn product(a: i32, b: i32) -> i32 {
    let exact = i64::from(a) * i64::from(b);
    let nudge = if exact >= 0 { 1 << 30 } else { 1 - (1 << 30) };
    ((exact + nudge) / (1 << 31)).min(i32::MAX.into()) as i32
}

/// `x / 2^exponent`, rounded half away from zero, for an exponent below 63.
#[cfg_attr(device, inline(never))]
fn round_shift(x: i64, exponent: u32) -> i64 {
    let mask = (1i64 << (exponent & 63)) - 1;
    let threshold = (mask >> 1) + i64::from(x < 0);
    (x >> (exponent & 63)) + i64::from(x & mask > threshold)
}

/// `x * 2^by`, clamped to 32 bits.
fn saturating_shift(x: i32, by: u32) -> i32 {
    (i64::from(x) << by).clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_close_to_the_real_one() {
        for a in (0..=31 << 26).step_by(98_765) {
            let real = (-f64::from(a) / f64::from(1 << 26)).exp();
            let fixed = f64::from(exp_on_negative(-a)) / f64::from(1u32 << 31);
            assert!((real - fixed).abs() < 1e-6, "exp(-{a} / 2^26): {fixed}, not {real}");
        }
    }

    #[test]
    fn the_reciprocal_is_close_to_the_real_one() {
        for sum in [1 << 19, (1 << 19) + 1, 600_000, 1 << 20, 3_333_333, i32::MAX] {
            let (factor, shift) = reciprocal(sum);
            let fixed = f64::from(factor) / f64::from(1u32 << 31) / f64::from(1u32 << shift);
            let real = f64::from(1 << 19) / f64::from(sum);
            assert!((fixed / real - 1.0).abs() < 1e-7, "1/{sum}: {fixed}, not {real}");
        }
    }
}
