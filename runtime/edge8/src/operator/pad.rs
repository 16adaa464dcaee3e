//! Pad: a border of zero points.
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 24 | tensor | output, with the input's scale and zero point |
//! | 40 | `u16`, `u16`, `u16` | rows above, columns to the left, channels before; two bytes of zero follow. What is added on the other sides follows from the output's shape |

use super::fields::{self, Common, Record, half_word};
use super::kind::Kind;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::tensor::{Shape, Tensor};

const BEFORE: usize = 40;

/// A border around the input, filled with its zero point, that is with real 0.
#[derive(Clone, Copy, Debug)]
pub struct Pad {
    /// Input map.
    pub input: Tensor,
    /// Output map, with the input's zero point and scale.
    pub output: Tensor,
    /// Rows above, columns to the left and channels before the input; what comes after it follows from the output's
    /// shape.
    pub before: [u16; 3],
}

impl Pad {
    pub(crate) const fn is_usual(_: &Record) -> bool {
        true
    }
}

impl<'a> Kind<'a> for Pad {
    const NAME: &'static str = "PAD";
    const OUTPUT: usize = 24;
    const BY_ROWS: bool = false;

    #[inline]
    fn decode(record: &Record, _: &'a [u8]) -> Result<Self, Problem> {
        let common = Common::decode(record, Self::OUTPUT)?.without_activation()?;
        let before = |index: usize| half_word(record, BEFORE + 2 * index);
        Ok(Self { input: common.input, output: common.output, before: [before(0)?, before(1)?, before(2)?] })
    }

    fn encode(&self, record: &mut Record, _: [u32; 2]) {
        fields::put_common(record, &self.input, (Self::OUTPUT, &self.output), Activation::NONE);
        for (index, side) in self.before.iter().enumerate() {
            fields::put(record, BEFORE + 2 * index, side.to_le_bytes());
        }
    }

    fn check(&self) -> Result<(), Problem> {
        let [input, output] = [self.input, self.output]
            .map(|Tensor { shape: Shape { height, width, channels }, .. }| [height, width, channels]);
        let room = |((&before, input), output): ((&u16, u16), u16)| {
            u32::from(before) + u32::from(input) <= u32::from(output)
        };
        if !self.before.iter().zip(input).zip(output).all(room) {
            return Err(Problem::Shapes);
        }
        if self.input.shares_quantisation(&self.output) { Ok(()) } else { Err(Problem::Quantisation) }
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
