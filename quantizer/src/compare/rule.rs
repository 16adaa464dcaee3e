//! The arithmetics that engines are known to use instead of the contract's.

use super::accumulate::sums;
use super::site::Site;
use super::{pooled, rescale, softmax, sum};
use crate::quantize::{Int8Filter, Int8Operator};
use anyhow::Result;

/// An arithmetic that differs from the contract's and is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The product with the mantissa is rounded, and the shift again, halves away from zero.
    DoubleRounding,
    /// As [`DoubleRounding`](Self::DoubleRounding), but halves go up.
    DoubleRoundingUp,
    /// The product with an f32 scale, halves to even.
    Float,
    /// The product with an f64 scale, halves away from zero.
    Float64,
    /// A sum of two products in fixed point with 20 bits of fraction, rounded once.
    FixedPointSum,
    /// A sum of two reals in f32, halves to even.
    FloatSum,
    /// An average that is an exact half is rounded to the other side.
    OtherHalf,
    /// A softmax of f32 exponentials.
    FloatSoftmax,
}

impl Rule {
    /// The name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::DoubleRounding => "double rounding",
            Self::DoubleRoundingUp => "double rounding (halves up)",
            Self::Float => "f32 product",
            Self::Float64 => "f64 product",
            Self::FixedPointSum => "fixed-point sum",
            Self::FloatSum => "f32 sum",
            Self::OtherHalf => "exact halves the other way",
            Self::FloatSoftmax => "f32 exponentials",
        }
    }

    /// What a layer gives by this rule; by the contract, if the rule says nothing of the layer's operator.
    ///
    /// # Errors
    /// As [`Site::contract`].
    pub(super) fn apply(self, site: &Site<'_>) -> Result<Vec<i8>> {
        match self.values(site) {
            Some(values) => Ok(site.clamped(values.into_iter())),
            None => site.contract(),
        }
    }

    /// Relative to the output's zero point, before the clamp.
    fn values(self, site: &Site<'_>) -> Option<Vec<i64>> {
        match &site.layer.operator {
            Int8Operator::Conv2d(_, filter)
            | Int8Operator::DepthwiseConv2d(_, filter)
            | Int8Operator::FullyConnected(filter) => self.filtered(site, filter),
            Int8Operator::Add(multipliers) => match self {
                Self::DoubleRounding => Some(sum::double(site, multipliers)),
                Self::FixedPointSum => sum::fixed_point(site),
                Self::FloatSum => Some(sum::float(site)),
                _ => None,
            },
            Int8Operator::Mean(multiplier) => match self {
                Self::DoubleRounding => {
                    Some(sums(site).iter().map(|&sum| rescale::double(sum, *multiplier)).collect())
                }
                Self::DoubleRoundingUp => Some(pooled::optimised_mean(site)),
                Self::Float => Some(pooled::float_mean(site)),
                _ => None,
            },
            Int8Operator::AveragePool2d(window) if self == Self::OtherHalf => {
                Some(pooled::other_half(site, window))
            }
            Int8Operator::Softmax(multiplier, _) if self == Self::FloatSoftmax => {
                Some(softmax::float(site, *multiplier))
            }
            _ => None,
        }
    }

    fn filtered(self, site: &Site<'_>, filter: &Int8Filter) -> Option<Vec<i64>> {
        let [input, output] = [site.input(0), site.output()].map(|tensor| tensor.quantisation.scale);
        let channels = filter.bias.len();
        let scale = |channel: usize| filter.scales[channel % filter.scales.len()];
        let rescale: &dyn Fn(i64, usize) -> i64 = match self {
            Self::DoubleRounding => &|sum, channel| rescale::double(sum, filter.multipliers[channel]),
            Self::DoubleRoundingUp => {
                &|sum, channel| rescale::double_halves_up(sum, filter.multipliers[channel])
            }
            Self::Float => &|sum, channel| rescale::float(sum, input * scale(channel) / output),
            Self::Float64 => &|sum, channel| {
                let product = f64::from(input) * f64::from(scale(channel));
                rescale::float64(sum, product / f64::from(output))
            },
            _ => return None,
        };
        Some(sums(site).iter().enumerate().map(|(index, &sum)| rescale(sum, index % channels)).collect())
    }
}
