//! Elementwise sum of two tensors with different quantisations.

use super::Record;
use super::fields::{Common, byte, tensor, word};
use crate::error::Problem;
use crate::fixed_point::{Activation, Multiplier};
use crate::image::layout::record::add as record;
use crate::tensor::Tensor;

/// One input of a sum.
#[derive(Clone, Copy, Debug)]
pub struct Addend {
    /// The tensor.
    pub tensor: Tensor,
    /// `scale / (2 * max(first scale, second scale))`, at most 1/2.
    pub multiplier: Multiplier,
}

/// An elementwise sum.
#[derive(Clone, Copy, Debug)]
pub struct Add {
    /// First input, of the output's shape. It may lie where the output does.
    pub first: Addend,
    /// Second input. Each of its sides is the output's, or 1 and repeated.
    pub second: Addend,
    /// Output.
    pub output: Tensor,
    /// `2 * max(first scale, second scale) / (2^20 * output scale)`.
    pub multiplier: Multiplier,
    /// Clamp of the output.
    pub activation: Activation,
}

impl Add {
    /// Inputs are shifted left by this much before they are rescaled, to keep their fractions.
    pub const LEFT_SHIFT: u32 = 20;

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn decode(record: &Record) -> Result<Self, Problem> {
        let common = Common::decode(record, record::OUTPUT)?;
        let multiplier = |index: usize| {
            Ok(Multiplier {
                mantissa: word(record, record::MANTISSAS + 4 * index)?,
                shift: byte(record, record::SHIFTS + index)?,
            })
        };
        Ok(Self {
            first: Addend { tensor: common.input, multiplier: multiplier(0)? },
            second: Addend { tensor: tensor(record, record::SECOND)?, multiplier: multiplier(1)? },
            output: common.output,
            multiplier: multiplier(2)?,
            activation: common.activation,
        })
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        let (output, second) = (self.output.shape, self.second.tensor.shape);
        let sides = [
            (second.height, output.height),
            (second.width, output.width),
            (second.channels, output.channels),
        ];
        let repeats = sides.iter().all(|&(side, whole)| side == whole || side == 1);
        if self.first.tensor.shape != output || !repeats {
            return Err(Problem::Shapes);
        }
        // Inputs are below 2^28 after the left shift; multipliers below 1 keep both and their sum inside 32 bits.
        let below_one = |m: Multiplier| m.is_valid() && m.shift <= 0;
        if below_one(self.first.multiplier) && below_one(self.second.multiplier) && self.multiplier.is_valid()
        {
            Ok(())
        } else {
            Err(Problem::Multiplier)
        }
    }
}
