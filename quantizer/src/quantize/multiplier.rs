//! Real factors as fixed-point multipliers, exactly as the int8 contract computes them.

use edge8::fixed_point::Multiplier;

/// The multiplier of a factor that is finite and not negative: `frexp`, the fraction rounded to 31 bits.
///
/// Factors below 2^-32 become 0, factors of 2^30 and more the largest multiplier there is.
pub fn multiplier(real: f64) -> Multiplier {
    debug_assert!(real.is_finite() && real >= 0.0);
    let (fraction, mut shift) = frexp(real);
    let mut mantissa = (fraction * (1u64 << 31) as f64).round() as i64;
    if mantissa == 1 << 31 {
        mantissa /= 2;
        shift += 1;
    }
    if shift < -31 {
        (mantissa, shift) = (0, 0);
    }
    if shift > 30 {
        (mantissa, shift) = ((1 << 31) - 1, 30);
    }
    Multiplier { mantissa: mantissa as i32, shift: shift as i8 }
}

/// A multiplier divided by the number of values of a MEAN, as TensorFlow Lite's reference folds it: the mantissa is
/// first shifted left as far as the count allows, so that the truncating division loses least. `count` is at least 1.
pub fn divide(by: Multiplier, count: usize) -> Multiplier {
    let count = count.max(1);
    let left = (count.ilog2() as i32).min(32).min(31 + i32::from(by.shift));
    let mantissa = (i64::from(by.mantissa) << left) / count as i64;
    Multiplier { mantissa: mantissa as i32, shift: by.shift - left as i8 }
}

/// `x = fraction * 2^exponent` with the fraction in [0.5, 1), or (0, 0) for 0.
fn frexp(x: f64) -> (f64, i32) {
    const EXPONENT: u64 = 0x7ff << 52;
    if x == 0.0 {
        return (0.0, 0);
    }
    // A subnormal number has no exponent of its own: scale it into the normal range first.
    let (x, offset) = if x < f64::MIN_POSITIVE { (x * (1u64 << 54) as f64, -54) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = ((bits & EXPONENT) >> 52) as i32 - 1022;
    (f64::from_bits((bits & !EXPONENT) | (1022 << 52)), exponent + offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn edges_follow_the_contract() {
        let cases = [
            (0.0, 0, 0),
            (0.5, 1 << 30, 0),
            (1.0, 1 << 30, 1),
            (0.75, 3 << 29, 0),
            // Rounds up to 2^31, so the mantissa halves and the shift grows.
            (1.0 - 2f64.powi(-40), 1 << 30, 1),
            (2f64.powi(-32), 1 << 30, -31),
            (2f64.powi(-33), 0, 0),
            (2f64.powi(29), 1 << 30, 30),
            (2f64.powi(30), i32::MAX, 30),
            (1e300, i32::MAX, 30),
            (5e-324, 0, 0),
        ];
        for (real, mantissa, shift) in cases {
            assert_eq!(multiplier(real), Multiplier { mantissa, shift }, "{real:e}");
        }
    }

    #[test]
    fn mantissa_and_shift_give_the_factor_back() {
        let mut random = Random::new(3);
        for _ in 0..10_000 {
            let real = f64::from(random.uniform(0.5, 1.0)) * 2f64.powi(random.below(50) as i32 - 25);
            let m = multiplier(real);
            let back = f64::from(m.mantissa) * 2f64.powi(i32::from(m.shift) - 31);
            assert!((back / real - 1.0).abs() <= 2f64.powi(-31), "{real}");
            assert!(m.mantissa >= 1 << 30 && m.is_valid());
        }
    }

    #[test]
    fn frexp_of_subnormal_numbers() {
        assert_eq!(frexp(5e-324), (0.5, -1073));
        assert_eq!(frexp(f64::MIN_POSITIVE), (0.5, -1021));
        assert_eq!(frexp(6.0), (0.75, 3));
    }

    #[test]
    fn mean_folds_its_count() {
        // Equal scales: 1 = 2^30 * 2^(1 - 31); and 2^5 <= 49.
        let folded = divide(multiplier(1.0), 49);
        assert_eq!(folded, Multiplier { mantissa: ((1i64 << 35) / 49) as i32, shift: -4 });
        assert_eq!(divide(multiplier(1.0), 1), multiplier(1.0));
        assert_eq!(divide(multiplier(0.3), 16), Multiplier { mantissa: multiplier(0.3).mantissa, shift: -5 });
        // A shift of -31 leaves no room on the left.
        let tiny = Multiplier { mantissa: 1 << 30, shift: -31 };
        assert_eq!(divide(tiny, 4), Multiplier { mantissa: 1 << 28, shift: -31 });
    }
}
