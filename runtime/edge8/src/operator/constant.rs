//! Constant: values that the image brings along.

use super::Record;
use super::fields::Common;
use crate::bytes;
use crate::cast;
use crate::error::Problem;
use crate::image::layout::record::constant as record;
use crate::tensor::Tensor;

/// Values from the weights section, for operators that read them as an input. It has no input itself.
#[derive(Clone, Copy, Debug)]
pub struct Constant<'a> {
    /// Where the values go.
    pub output: Tensor,
    /// As many values as the output has.
    pub values: &'a [i8],
}

impl<'a> Constant<'a> {
    #[inline]
    pub(super) fn decode(record: &Record, section: &'a [u8]) -> Result<Self, Problem> {
        let output = Common::decode(record, record::OUTPUT)?.without_activation()?.output;
        let offset = bytes::u32(record, record::VALUES).ok_or(Problem::RecordLength)?;
        let values = bytes::slice(section, offset, output.shape.len()).ok_or(Problem::Weights)?;
        Ok(Self { output, values: cast::as_i8(values) })
    }
}
