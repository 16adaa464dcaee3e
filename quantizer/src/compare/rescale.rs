//! How engines bring an accumulator to the output's scale, each as its definition says. The contract's own way is
//! [`Multiplier::rescale`]: one product, one rounding.

use edge8::fixed_point::Multiplier;

/// TensorFlow Lite's default: the product rounded to whole numbers before the shift, halves up, and the shift rounded
/// again, halves away from zero.
pub(super) fn double(x: i64, by: Multiplier) -> i64 {
    let high = high(x, by);
    shifted(high.abs(), by) * high.signum()
}

/// As [`double`], but the shift rounds halves up too: `sqrdmulh` and `srshl` of NEON, and ruy on every processor.
pub(super) fn double_halves_up(x: i64, by: Multiplier) -> i64 {
    shifted(high(x, by), by)
}

/// The product in f32, rounded to nearest, halves to even.
pub(super) fn float(x: i64, scale: f32) -> i64 {
    (x as f32 * scale).round_ties_even() as i64
}

/// The product in f64, rounded to nearest, halves away from zero.
pub(super) fn float64(x: i64, scale: f64) -> i64 {
    (x as f64 * scale).round() as i64
}

/// `x * 2^shift * mantissa / 2^31` without the shift to the right, rounded. A sum has 32 bits: no overflow in 128.
fn high(x: i64, by: Multiplier) -> i64 {
    let product = (i128::from(x) << by.shift.max(0)) * i128::from(by.mantissa);
    ((product + (1 << 30)) >> 31) as i64
}

/// The multiplier's shift to the right, rounded, halves up.
fn shifted(x: i64, by: Multiplier) -> i64 {
    match -i32::from(by.shift) {
        right @ 1.. => (x + (1 << (right - 1))) >> right,
        _ => x,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Multiplier = Multiplier { mantissa: 1 << 30, shift: 0 };
    /// 2^-2, in two steps: half of it in the product, half in the shift.
    const QUARTER: Multiplier = Multiplier { mantissa: 1 << 30, shift: -1 };

    #[test]
    fn double_rounding_rounds_twice() {
        // 5 / 4 = 1.25: the product gives 2.5 -> 3, the shift 1.5 -> 2. Rounded once it is 1.
        assert_eq!((double(5, QUARTER), QUARTER.rescale(5)), (2, 1));
        // -5 / 4: -2.5 -> -2, -1. And -7 / 4: -3.5 -> -3, -1.5 -> -2.
        assert_eq!([-5, -7].map(|x| double(x, QUARTER)), [-1, -2]);
        assert_eq!([1, -1, 3, -3].map(|x| double(x, HALF)), [1, 0, 2, -1]);
        // No right shift: a multiplier above 1 rounds once.
        let three = Multiplier { mantissa: 3 << 29, shift: 2 };
        assert_eq!([7, -7].map(|x| double(x, three)), [21, -21]);
    }

    #[test]
    fn halves_up_differ_only_in_negative_halves() {
        // -7 / 4: -3.5 -> -3, -1.5 -> -1.
        assert_eq!([5, -5, -7].map(|x| double_halves_up(x, QUARTER)), [2, -1, -1]);
        for x in 0..1000 {
            assert_eq!(double_halves_up(x, QUARTER), double(x, QUARTER));
        }
    }

    #[test]
    fn floats_round_halves_to_even_or_away() {
        assert_eq!([1, 3, -1, -3, 5].map(|x| float(x, 0.5)), [0, 2, 0, -2, 2]);
        assert_eq!([1, 3, -1, -3, 5].map(|x| float64(x, 0.5)), [1, 2, -1, -2, 3]);
        // 2^24 + 1 is no f32.
        assert_eq!((float((1 << 24) + 1, 1.0), float64((1 << 24) + 1, 1.0)), (1 << 24, (1 << 24) + 1));
    }
}
