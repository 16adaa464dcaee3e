//! The fields of an operator record at a byte offset.

use super::Record;
use crate::bytes;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::image::layout::{self, record};
use crate::tensor::Tensor;

/// What records of nearly all kinds have.
pub(super) struct Common {
    /// The (first) input; of a constant, which has none, its output.
    pub(super) input: Tensor,
    pub(super) output: Tensor,
    pub(super) activation: Activation,
}

impl Common {
    /// Reads them; the output's record lies at `output`.
    #[cfg_attr(not(target_os = "none"), inline)]
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn decode(record: &Record, output: usize) -> Result<Self, Problem> {
        Ok(Self {
            input: tensor(record, record::INPUT)?,
            output: tensor(record, output)?,
            activation: activation(record)?,
        })
    }

    /// The same of a kind that takes no activation.
    #[inline]
    pub(super) fn without_activation(self) -> Result<Self, Problem> {
        if self.activation == Activation::NONE { Ok(self) } else { Err(Problem::Activation) }
    }
}

/// The tensor record at `at`.
#[inline]
pub(super) fn tensor(record: &Record, at: usize) -> Result<Tensor, Problem> {
    if record.len() < at.saturating_add(layout::TENSOR_LEN) {
        return Err(Problem::RecordLength);
    }
    Tensor::decode(record, at).ok_or(Problem::Tensor)
}

/// The fields that every record begins with.
#[inline]
fn activation(record: &Record) -> Result<Activation, Problem> {
    match (bytes::i8(record, record::ACTIVATION_MIN), bytes::i8(record, record::ACTIVATION_MAX)) {
        (Some(min), Some(max)) => Ok(Activation { min, max }),
        _ => Err(Problem::RecordLength),
    }
}

/// The `i32` at `at`.
#[inline]
pub(super) fn word(record: &Record, at: usize) -> Result<i32, Problem> {
    bytes::i32(record, at).ok_or(Problem::RecordLength)
}

/// The `u16` at `at`.
#[inline]
pub(super) fn half_word(record: &Record, at: usize) -> Result<u16, Problem> {
    bytes::u16(record, at).ok_or(Problem::RecordLength)
}

/// The `i8` at `at`.
#[inline]
pub(super) fn byte(record: &Record, at: usize) -> Result<i8, Problem> {
    bytes::i8(record, at).ok_or(Problem::RecordLength)
}
