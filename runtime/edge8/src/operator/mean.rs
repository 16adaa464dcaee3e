//! Mean over height and width: the global average pool.
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 24 | tensor | output, 1x1 with the input's channels |
//! | 40 | `i32` | mantissa, with 1/(height * width) folded in |
//! | 44 | `i8` | shift; three bytes of zero follow |

use super::fields::{self, Common, Record, byte, word};
use super::kind::Kind;
use crate::error::Problem;
use crate::fixed_point::{Activation, Multiplier};
use crate::tensor::Tensor;

const MANTISSA: usize = 40;
const SHIFT: usize = 44;

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
    /// Sums fit into 16 bits, and there are four channels at least.
    pub(crate) const fn is_usual(record: &Record) -> bool {
        let input = fields::shape(record, fields::INPUT);
        input.pixels() <= 256 && input.channels >= 4
    }
}

impl<'a> Kind<'a> for Mean {
    const NAME: &'static str = "MEAN";
    const OUTPUT: usize = 24;
    const BY_ROWS: bool = false;

    #[inline]
    fn decode(record: &Record, _: &'a [u8]) -> Result<Self, Problem> {
        let common = Common::decode(record, Self::OUTPUT)?;
        Ok(Self {
            input: common.input,
            output: common.output,
            multiplier: Multiplier { mantissa: word(record, MANTISSA)?, shift: byte(record, SHIFT)? },
            activation: common.activation,
        })
    }

    fn encode(&self, record: &mut Record, _: [u32; 2]) {
        fields::put_common(record, &self.input, (Self::OUTPUT, &self.output), self.activation);
        fields::put(record, MANTISSA, self.multiplier.mantissa.to_le_bytes());
        fields::put(record, SHIFT, self.multiplier.shift.to_le_bytes());
    }

    fn check(&self) -> Result<(), Problem> {
        if self.output.shape.pixels() != 1 || self.output.shape.channels != self.input.shape.channels {
            return Err(Problem::Shapes);
        }
        if (self.input.shape.pixels() as u64).saturating_mul(255) > i32::MAX as u64 {
            return Err(Problem::Accumulator);
        }
        if self.multiplier.is_valid() { Ok(()) } else { Err(Problem::Multiplier) }
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

    fn activation(&self) -> Activation {
        self.activation
    }
}
