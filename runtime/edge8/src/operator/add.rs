//! Elementwise sum of two tensors with different quantisations.
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 24 | tensor | second input: of the output's shape, or 1 where a side is to be repeated |
//! | 40 | tensor | output: it may lie where the first input does |
//! | 56 | `[i32; 3]` | mantissas for the first input, the second input and the output |
//! | 68 | `[i8; 3]` | shifts in the same order; one byte of zero follows |

use super::fields::{self, Common, Record, byte, tensor, word};
use super::kind::Kind;
use crate::error::Problem;
use crate::fixed_point::{Activation, Multiplier};
use crate::tensor::Tensor;

const SECOND: usize = 24;
const MANTISSAS: usize = 56;
const SHIFTS: usize = 68;

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

    /// Nothing is repeated, and the shifts are such that rounding constants fit into 32 bits.
    pub(crate) const fn is_usual(record: &Record) -> bool {
        let (second, output) = (fields::shape(record, SECOND), fields::shape(record, Self::OUTPUT));
        let [first, other, sum] = [record[SHIFTS] as i8, record[SHIFTS + 1] as i8, record[SHIFTS + 2] as i8];
        second.equals(output) && first >= -28 && other >= -28 && sum >= -24 && sum <= -2
    }
}

impl<'a> Kind<'a> for Add {
    const NAME: &'static str = "ADD";
    const OUTPUT: usize = 40;
    const BY_ROWS: bool = true;
    const IN_PLACE: bool = true;

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn decode(record: &Record, _: &'a [u8]) -> Result<Self, Problem> {
        let common = Common::decode(record, Self::OUTPUT)?;
        let multiplier = |index: usize| {
            Ok(Multiplier {
                mantissa: word(record, MANTISSAS + 4 * index)?,
                shift: byte(record, SHIFTS + index)?,
            })
        };
        Ok(Self {
            first: Addend { tensor: common.input, multiplier: multiplier(0)? },
            second: Addend { tensor: tensor(record, SECOND)?, multiplier: multiplier(1)? },
            output: common.output,
            multiplier: multiplier(2)?,
            activation: common.activation,
        })
    }

    fn encode(&self, record: &mut Record, _: [u32; 2]) {
        fields::put_common(record, &self.first.tensor, (Self::OUTPUT, &self.output), self.activation);
        fields::put_tensor(record, SECOND, &self.second.tensor);
        let multipliers = [self.first.multiplier, self.second.multiplier, self.multiplier];
        for (index, multiplier) in multipliers.iter().enumerate() {
            fields::put(record, MANTISSAS + 4 * index, multiplier.mantissa.to_le_bytes());
            fields::put(record, SHIFTS + index, multiplier.shift.to_le_bytes());
        }
    }

    fn check(&self) -> Result<(), Problem> {
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

    #[inline]
    fn input(&self, index: usize) -> Option<&Tensor> {
        match index {
            0 => Some(&self.first.tensor),
            1 => Some(&self.second.tensor),
            _ => None,
        }
    }

    #[inline]
    fn side_by_side(&self, row: usize, rows: usize) -> usize {
        let rows = self.first.tensor.place(row, rows).1;
        // A repeated row, or one that is shorter and repeated, is added to a row at a time.
        if self.second.tensor.shape == self.output.shape {
            self.second.tensor.place(row, rows).1
        } else {
            rows.min(1)
        }
    }

    #[inline]
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn activation(&self) -> Activation {
        self.activation
    }
}
