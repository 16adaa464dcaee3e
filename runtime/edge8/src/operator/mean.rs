//! Mean over height and width: the global average pool.

use super::Record;
use super::fields::{Common, byte, word};
use crate::error::Problem;
use crate::fixed_point::{Activation, Multiplier};
use crate::image::layout::record::mean as record;
use crate::tensor::Tensor;

/// A mean over height and width.
#[derive(Clone, Copy, Debug)]
pub struct Mean {
    /// Input map.
    pub input: Tensor,
    /// Output, 1x1 with the input's channels.
    pub output: Tensor,
    /// `input scale / output scale / pixels`, the division as TensorFlow Lite's reference folds it in.
    pub multiplier: Multiplier,
    /// Clamp of the output.
    pub activation: Activation,
}

impl Mean {
    #[inline]
    pub(super) fn decode(record: &Record) -> Result<Self, Problem> {
        let common = Common::decode(record, record::OUTPUT)?;
        Ok(Self {
            input: common.input,
            output: common.output,
            multiplier: Multiplier {
                mantissa: word(record, record::MANTISSA)?,
                shift: byte(record, record::SHIFT)?,
            },
            activation: common.activation,
        })
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.output.shape.pixels() != 1 || self.output.shape.channels != self.input.shape.channels {
            return Err(Problem::Shapes);
        }
        if (self.input.shape.pixels() as u64).saturating_mul(255) > i32::MAX as u64 {
            return Err(Problem::Accumulator);
        }
        if self.multiplier.is_valid() { Ok(()) } else { Err(Problem::Multiplier) }
    }
}
