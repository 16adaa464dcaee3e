//! Table: each value becomes another one, whatever its neighbours are. Most activations are one.
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 24 | tensor | output, of the input's shape: it may lie where the input does |
//! | 40 | `u32` | offset of the 256 values in the weights section, those of the inputs -128, -127, ..., 127 |

use super::fields::{self, Common, Record};
use super::kind::Kind;
use crate::bytes;
use crate::cast;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::tensor::Tensor;

const VALUES: usize = 40;

/// A look-up in a table, of each value by itself.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// Input, of any shape.
    pub input: Tensor,
    /// Output, of the input's shape. It may lie where the input does.
    pub output: Tensor,
    /// The output of each input, from -128 on.
    pub values: &'a [i8; 256],
}

impl Table<'_> {
    pub(crate) const fn is_usual(_: &Record) -> bool {
        true
    }
}

impl<'a> Kind<'a> for Table<'a> {
    const NAME: &'static str = "TABLE";
    const OUTPUT: usize = 24;
    const BY_ROWS: bool = true;
    const IN_PLACE: bool = true;

    #[inline]
    fn decode(record: &Record, section: &'a [u8]) -> Result<Self, Problem> {
        let common = Common::decode(record, Self::OUTPUT)?.without_activation()?;
        let offset = bytes::u32(record, VALUES).ok_or(Problem::RecordLength)?;
        let values = bytes::slice(section, offset, 256).ok_or(Problem::Weights)?;
        let values = cast::as_i8(values).first_chunk().ok_or(Problem::Weights)?;
        Ok(Self { input: common.input, output: common.output, values })
    }

    fn encode(&self, record: &mut Record, at: [u32; 2]) {
        fields::put_common(record, &self.input, (Self::OUTPUT, &self.output), Activation::NONE);
        fields::put(record, VALUES, at[0].to_le_bytes());
    }

    fn check(&self) -> Result<(), Problem> {
        if self.input.shape == self.output.shape { Ok(()) } else { Err(Problem::Shapes) }
    }

    #[inline]
    fn input(&self, index: usize) -> Option<&Tensor> {
        (index == 0).then_some(&self.input)
    }

    #[inline]
    fn side_by_side(&self, row: usize, rows: usize) -> usize {
        self.input.place(row, rows).1
    }

    #[inline]
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn parameter_len(&self) -> usize {
        self.values.len()
    }
}
