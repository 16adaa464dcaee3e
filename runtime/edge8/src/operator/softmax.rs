//! Softmax over the channels.

use super::Record;
use super::fields::{Common, byte, word};
use crate::error::Problem;
use crate::fixed_point::Multiplier;
use crate::image::layout::record::softmax as record;
use crate::tensor::Tensor;

/// A softmax over the channels of each pixel; the output's scale is 1/256, its zero point -128.
#[derive(Clone, Copy, Debug)]
pub struct Softmax {
    /// Input, with at most [`Softmax::MAX_CHANNELS`] channels.
    pub input: Tensor,
    /// Output, of the input's shape. It may lie where the input does.
    pub output: Tensor,
    /// `beta * input scale * 2^26`: a difference of quantised inputs becomes a Q5.26 number.
    pub multiplier: Multiplier,
    /// In [-255, 0]: inputs that are further below the maximum get probability 0.
    pub diff_min: i32,
}

impl Softmax {
    /// Probabilities come in steps of this size, from zero point -128 on.
    pub const OUTPUT_SCALE: f32 = 1.0 / 256.0;

    /// The sum of this many exponentials, each at most 2^19, stays in 32 bits.
    pub const MAX_CHANNELS: u16 = 4095;

    #[inline]
    pub(super) fn decode(record: &Record) -> Result<Self, Problem> {
        let common = Common::decode(record, record::OUTPUT)?.without_activation()?;
        Ok(Self {
            input: common.input,
            output: common.output,
            multiplier: Multiplier {
                mantissa: word(record, record::MANTISSA)?,
                shift: byte(record, record::SHIFT)?,
            },
            diff_min: word(record, record::DIFF_MIN)?,
        })
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.input.shape != self.output.shape {
            return Err(Problem::Shapes);
        }
        if (self.output.zero_point, self.output.scale.to_bits()) != (i8::MIN, Self::OUTPUT_SCALE.to_bits()) {
            return Err(Problem::Tensor);
        }
        if self.input.shape.channels > Self::MAX_CHANNELS {
            return Err(Problem::Accumulator);
        }
        let valid = self.multiplier.is_valid() && (-255..=0).contains(&self.diff_min);
        // The smallest difference must still be a Q5.26 number.
        if valid && self.multiplier.rescale(self.diff_min) >= i32::MIN.into() {
            Ok(())
        } else {
            Err(Problem::Multiplier)
        }
    }
}
