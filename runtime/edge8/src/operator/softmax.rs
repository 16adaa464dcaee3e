//! Softmax over the channels.
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 24 | tensor | output, of the input's shape, scale 1/256, zero point -128: it may lie where the input does |
//! | 40 | `i32` | mantissa |
//! | 44 | `i8` | shift; three bytes of zero follow |
//! | 48 | `i32` | in [-255, 0]: smaller differences to the maximum give probability 0 |

use super::fields::{self, Common, Record, byte, word};
use super::kind::Kind;
use crate::error::Problem;
use crate::fixed_point::{Activation, Multiplier};
use crate::tensor::Tensor;

const MANTISSA: usize = 40;
const SHIFT: usize = 44;
const DIFF_MIN: usize = 48;

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

    pub(crate) const fn is_usual(_: &Record) -> bool {
        true
    }
}

impl<'a> Kind<'a> for Softmax {
    const NAME: &'static str = "SOFTMAX";
    const OUTPUT: usize = 24;
    const BY_ROWS: bool = false;
    const IN_PLACE: bool = true;

    #[inline]
    fn decode(record: &Record, _: &'a [u8]) -> Result<Self, Problem> {
        let common = Common::decode(record, Self::OUTPUT)?.without_activation()?;
        Ok(Self {
            input: common.input,
            output: common.output,
            multiplier: Multiplier { mantissa: word(record, MANTISSA)?, shift: byte(record, SHIFT)? },
            diff_min: word(record, DIFF_MIN)?,
        })
    }

    fn encode(&self, record: &mut Record, _: [u32; 2]) {
        fields::put_common(record, &self.input, (Self::OUTPUT, &self.output), Activation::NONE);
        fields::put(record, MANTISSA, self.multiplier.mantissa.to_le_bytes());
        fields::put(record, SHIFT, self.multiplier.shift.to_le_bytes());
        fields::put(record, DIFF_MIN, self.diff_min.to_le_bytes());
    }

    fn check(&self) -> Result<(), Problem> {
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

    #[inline]
    fn input(&self, index: usize) -> Option<&Tensor> {
        (index == 0).then_some(&self.input)
    }

    #[inline]
    fn side_by_side(&self, _: usize, rows: usize) -> usize {
        rows
    }

    #[inline]
    fn output(&self) -> &Tensor {
        &self.output
    }
}
