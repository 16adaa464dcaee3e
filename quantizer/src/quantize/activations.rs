//! Activations: from a range of reals to scale, zero point and fused clamp.

use crate::graph::Activation as Float;
use edge8::fixed_point::Activation;

/// A closed interval of real values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
}

impl Range {
    /// The range of a tensor that holds nothing yet.
    pub const EMPTY: Self = Self { min: f32::INFINITY, max: f32::NEG_INFINITY };

    /// The smallest range that holds both.
    pub fn union(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// The smallest range that holds all values; those that are no number are left out.
    pub fn of(values: &[f32]) -> Self {
        values.iter().fold(Self::EMPTY, |range, &x| Self { min: range.min.min(x), max: range.max.max(x) })
    }

    /// `max - min`.
    pub fn width(self) -> f32 {
        self.max - self.min
    }

    /// Widened to hold 0, which int8 must represent exactly (padding and ReLU rely on it).
    pub fn with_zero(self) -> Self {
        Self { min: self.min.min(0.0), max: self.max.max(0.0) }
    }
}

/// `real = (q - zero_point) * scale` for int8 q.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantisation {
    /// The step between neighbouring values, above 0.
    pub scale: f32,
    /// The int8 value of real 0.
    pub zero_point: i8,
}

impl Quantisation {
    /// Softmax's output: probabilities in steps of 1/256.
    pub const PROBABILITY: Self = Self { scale: 1.0 / 256.0, zero_point: -128 };

    /// 256 values over the range, widened to hold 0. A range of a single point 0 gets steps of 1/255.
    pub fn of(range: Range) -> Self {
        let Range { min, max } = range.with_zero();
        let width = f64::from(max) - f64::from(min);
        let scale = (width / 255.0) as f32;
        if !scale.is_normal() {
            return Self { scale: 1.0 / 255.0, zero_point: -128 };
        }
        let zero_point = (-128.0 - f64::from(min) / f64::from(scale)).round();
        Self { scale, zero_point: zero_point.clamp(-128.0, 127.0) as i8 }
    }

    /// The nearest int8 value, half away from zero; the quotient is f32 as the contract demands.
    pub fn quantise(self, real: f32) -> i8 {
        ((real / self.scale).round() + f32::from(self.zero_point)).clamp(-128.0, 127.0) as i8
    }

    /// The real value of `q`.
    pub fn real(self, q: i8) -> f32 {
        (i32::from(q) - i32::from(self.zero_point)) as f32 * self.scale
    }

    /// The reals of -128 and 127.
    pub fn range(self) -> Range {
        Range { min: self.real(-128), max: self.real(127) }
    }

    /// An activation as a clamp on this tensor's int8 values.
    pub fn clamp(self, activation: Float) -> Activation {
        let (low, high) = activation.bounds();
        Activation { min: self.quantise(low), max: self.quantise(high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_map_onto_int8_exactly() {
        let quantisation = Quantisation::of(Range { min: 0.0, max: 1.0 });
        assert_eq!(quantisation, Quantisation { scale: 1.0 / 255.0, zero_point: -128 });
        for byte in 0..=255u8 {
            assert_eq!(i32::from(quantisation.quantise(f32::from(byte) / 255.0)), i32::from(byte) - 128);
        }
    }

    #[test]
    fn zero_is_always_exact() {
        for (min, max) in [(-1.0, 3.0), (0.5, 2.0), (-7.0, -1.0), (-0.3, 0.3), (0.0, 0.0), (-1e-38, 1e-40)] {
            let quantisation = Quantisation::of(Range { min, max });
            assert_eq!(quantisation.real(quantisation.quantise(0.0)), 0.0, "[{min}, {max}]");
            assert!(quantisation.scale.is_normal());
            let half = quantisation.scale / 2.0;
            assert!(
                quantisation.range().min <= min + 1.01 * half
                    && quantisation.range().max >= max - 1.01 * half
            );
        }
    }

    #[test]
    fn fused_clamps_follow_the_contract() {
        let wide = Quantisation { scale: 0.05, zero_point: -28 };
        assert_eq!(wide.clamp(Float::Relu6), Activation { min: -28, max: 92 });
        assert_eq!(wide.clamp(Float::Relu), Activation { min: -28, max: 127 });
        assert_eq!(wide.clamp(Float::None), Activation::NONE);
        let narrow = Quantisation { scale: 0.01, zero_point: -128 };
        assert_eq!(narrow.clamp(Float::Relu6), Activation { min: -128, max: 127 });
    }
}
