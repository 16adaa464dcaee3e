//! The one rescale that all operators share: `floor(x * m + 1/2)` in integers.
//!
//! A real multiplier `m` is stored as TensorFlow Lite stores it, `m = mantissa * 2^(shift - 31)`. Where TFLite's
//! default build rounds twice, this is its `TFLITE_SINGLE_ROUNDING`: one product, one rounding, one shift.

/// A non-negative real multiplier as a 32-bit mantissa and a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiplier {
    /// In [0, 2^31 - 1]; of a normalised multiplier in [2^30, 2^31 - 1], or 0.
    pub mantissa: i32,
    /// In [-31, 30].
    pub shift: i8,
}

impl Multiplier {
    /// Smallest shift of a valid multiplier.
    pub const MIN_SHIFT: i8 = -31;

    /// Largest shift of a valid multiplier.
    pub const MAX_SHIFT: i8 = 30;

    /// Whether mantissa and shift lie in their ranges, so that [`Multiplier::rescale`] is exact for every `i32`.
    pub const fn is_valid(self) -> bool {
        self.mantissa >= 0 && self.shift >= Self::MIN_SHIFT && self.shift <= Self::MAX_SHIFT
    }

    /// `floor(x * m + 1/2)`, exact.
    ///
    /// The result is 64 bits wide: a multiplier above 1 may leave the 32-bit range, and callers clamp to int8 anyway.
    #[cfg_attr(not(device), inline(always))]
    #[cfg_attr(device, inline(never))]
    pub const fn rescale(self, x: i32) -> i64 {
        // In [1, 62] for a valid multiplier. |x * mantissa| <= 2^62 and the rounding term is at most 2^61: no overflow.
        let right = (31 - self.shift as i32) as u32 & 63;
        let half = 1i64 << (right.wrapping_sub(1) & 63);
        (x as i64 * self.mantissa as i64).wrapping_add(half) >> right
    }
}

/// The range that a fused activation leaves: quantised outputs are clamped to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Smallest output.
    pub min: i8,
    /// Largest output, not below `min`.
    pub max: i8,
}

impl Activation {
    /// No activation: all of int8.
    pub const NONE: Self = Self { min: i8::MIN, max: i8::MAX };

    /// `value` clamped to the range.
    #[inline(always)]
    pub const fn clamp(self, value: i64) -> i8 {
        if value < self.min as i64 {
            self.min
        } else if value > self.max as i64 {
            self.max
        } else {
            value as i8
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, in 128 bits and with Euclidean division instead of a shift.
    fn definition(x: i32, m: Multiplier) -> i64 {
        let denominator = 1i128 << (31 - m.shift as i32);
        let product = i128::from(x) * i128::from(m.mantissa);
        (2 * product + denominator).div_euclid(2 * denominator) as i64
    }

    #[test]
    fn rescale_is_the_floor_of_the_product_plus_one_half() {
        let values = [i32::MIN, i32::MIN + 1, -65537, -3, -1, 0, 1, 2, 65535, i32::MAX - 1, i32::MAX];
        let mantissas = [0, 1, 3, 1 << 30, (1 << 30) + 1, 1_518_500_250, i32::MAX];
        for shift in -31..=30 {
            for mantissa in mantissas {
                let m = Multiplier { mantissa, shift };
                assert!(m.is_valid());
                for x in values {
                    assert_eq!(m.rescale(x), definition(x, m), "{x} by {m:?}");
                }
            }
        }
    }

    #[test]
    fn ties_go_up() {
        let half = Multiplier { mantissa: 1 << 30, shift: 0 };
        assert_eq!([-3, -1, 1, 3].map(|x| half.rescale(x)), [-1, 0, 1, 2]);
    }

    #[test]
    fn multipliers_out_of_range_are_invalid() {
        for m in [(-1, 0), (1, -32), (1, 31)] {
            assert!(!Multiplier { mantissa: m.0, shift: m.1 }.is_valid());
        }
    }
}
