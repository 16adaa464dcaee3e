//! The engines whose arithmetic is known.

use super::rule::Rule;
use super::site::Site;
use crate::quantize::Int8Operator;
use anyhow::Result;

/// An engine: one [`Rule`] per operator, or none where it computes as the contract says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// TensorFlow Lite Micro's reference kernels and CMSIS-NN, as they are built by default.
    TfliteMicro,
    /// LiteRT's reference kernels.
    LitertReference,
    /// LiteRT's own optimised kernels, if MEAN drops the dimensions it is taken over, as Keras' pooling layers do.
    LitertOptimised,
    /// The same, if MEAN keeps them: it is another kernel then.
    LitertOptimisedKeepDims,
    /// LiteRT with XNNPACK, its default on a PC or a Raspberry Pi.
    LitertXnnpack,
    /// ONNX Runtime on a network with QuantizeLinear and DequantizeLinear.
    OnnxRuntime,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::TfliteMicro,
        Self::LitertReference,
        Self::LitertOptimised,
        Self::LitertOptimisedKeepDims,
        Self::LitertXnnpack,
        Self::OnnxRuntime,
    ];

    /// The name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::TfliteMicro => "TFLite Micro",
            Self::LitertReference => "LiteRT reference",
            Self::LitertOptimised => "LiteRT without XNNPACK",
            Self::LitertOptimisedKeepDims => "LiteRT without XNNPACK (MEAN with keep_dims)",
            Self::LitertXnnpack => "LiteRT with XNNPACK",
            Self::OnnxRuntime => "ONNX Runtime",
        }
    }

    /// How it differs from the contract in an operator; [`None`] if it does not.
    pub fn rule(self, operator: &Int8Operator) -> Option<Rule> {
        match operator {
            Int8Operator::Conv2d(..) => Some(self.of_convolution()),
            Int8Operator::DepthwiseConv2d(..) => Some(match self {
                Self::LitertOptimised | Self::LitertOptimisedKeepDims => Rule::DoubleRounding,
                _ => self.of_convolution(),
            }),
            Int8Operator::FullyConnected(_) => Some(match self {
                Self::LitertReference => Rule::Float64,
                _ => self.of_convolution(),
            }),
            Int8Operator::Mean(_) => Some(match self {
                Self::LitertOptimised => Rule::DoubleRounding,
                _ => self.of_convolution(),
            }),
            Int8Operator::Add(_) => Some(match self {
                Self::LitertXnnpack => Rule::FixedPointSum,
                Self::OnnxRuntime => Rule::FloatSum,
                _ => Rule::DoubleRounding,
            }),
            Int8Operator::AveragePool2d(_) => (self == Self::OnnxRuntime).then_some(Rule::OtherHalf),
            // A double rounding of its input differences would show only in the 26th bit of an exponent.
            Int8Operator::Softmax(..) => {
                (!matches!(self, Self::TfliteMicro | Self::LitertReference)).then_some(Rule::FloatSoftmax)
            }
            Int8Operator::MaxPool2d(_) | Int8Operator::Pad(_) | Int8Operator::Table(..) => None,
            Int8Operator::Reshape | Int8Operator::Constant(_) => None,
        }
    }

    fn of_convolution(self) -> Rule {
        match self {
            Self::TfliteMicro | Self::LitertReference => Rule::DoubleRounding,
            Self::LitertOptimised | Self::LitertOptimisedKeepDims => Rule::DoubleRoundingUp,
            Self::LitertXnnpack | Self::OnnxRuntime => Rule::Float,
        }
    }

    /// What a layer gives in this engine.
    ///
    /// # Errors
    /// As [`Site::contract`].
    pub(super) fn apply(self, site: &Site<'_>) -> Result<Vec<i8>> {
        match self.rule(&site.layer.operator) {
            Some(rule) => rule.apply(site),
            None => site.contract(),
        }
    }
}
