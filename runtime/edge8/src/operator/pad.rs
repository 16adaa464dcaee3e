//! Pad: a border of zero points.

use super::Record;
use super::fields::{Common, half_word};
use crate::error::Problem;
use crate::image::layout::record::pad as record;
use crate::tensor::{Shape, Tensor};

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
    #[inline]
    pub(super) fn decode(record: &Record) -> Result<Self, Problem> {
        let common = Common::decode(record, record::OUTPUT)?.without_activation()?;
        let before = |index: usize| half_word(record, record::BEFORE + 2 * index);
        Ok(Self { input: common.input, output: common.output, before: [before(0)?, before(1)?, before(2)?] })
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
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
}
