//! Constant: values that the image brings along.
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 8 | tensor | output, where other operators have their input |
//! | 24 | `u32` | offset of the values in the weights section |

use super::fields::{self, Common, Record};
use super::kind::Kind;
use crate::bytes;
use crate::cast;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::tensor::Tensor;

const VALUES: usize = 24;

/// Values from the weights section, for operators that read them as an input. It has no input itself.
#[derive(Clone, Copy, Debug)]
pub struct Constant<'a> {
    /// Where the values go.
    pub output: Tensor,
    /// As many values as the output has.
    pub values: &'a [i8],
}

impl Constant<'_> {
    pub(crate) const fn is_usual(_: &Record) -> bool {
        true
    }
}

impl<'a> Kind<'a> for Constant<'a> {
    const NAME: &'static str = "CONSTANT";
    const OUTPUT: usize = fields::INPUT;
    const BY_ROWS: bool = false;

    #[inline]
    fn decode(record: &Record, section: &'a [u8]) -> Result<Self, Problem> {
        let output = Common::decode(record, Self::OUTPUT)?.without_activation()?.output;
        let offset = bytes::u32(record, VALUES).ok_or(Problem::RecordLength)?;
        let values = bytes::slice(section, offset, output.shape.len()).ok_or(Problem::Weights)?;
        Ok(Self { output, values: cast::as_i8(values) })
    }

    fn encode(&self, record: &mut Record, at: [u32; 2]) {
        fields::put_common(record, &self.output, (Self::OUTPUT, &self.output), Activation::NONE);
        fields::put(record, VALUES, at[0].to_le_bytes());
    }

    fn check(&self) -> Result<(), Problem> {
        Ok(())
    }

    #[inline]
    fn input(&self, _: usize) -> Option<&Tensor> {
        None
    }

    #[inline]
    fn side_by_side(&self, _: usize, rows: usize) -> usize {
        rows
    }

    #[inline]
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn parameter_len(&self) -> usize {
        self.values.len()
    }
}
