//! The fields of an operator record at a byte offset.
//!
//! Every record has [`RECORD_LEN`](format::RECORD_LEN) bytes, those that its kind does not use 0, and begins with
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 0 | `u16` | kind |
//! | 2 | `u16` | 0 |
//! | 4 | `i8`, `i8` | smallest and largest output (the fused activation) |
//! | 6 | `u8` | order in which the weights are packed, 1; 0 without weights |
//! | 7 | `u8` | 1 where every multiplier is below 1/4, else 0 |
//! | 8 | tensor | (first) input |

use crate::bytes;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::format;
use crate::tensor::{Shape, Tensor};

/// The bytes of an operator record. Fields at constant offsets need no check at run time.
pub type Record = [u8; format::RECORD_LEN];

pub(super) const KIND: usize = 0;
pub(super) const RESERVED: usize = 2;
const ACTIVATION: usize = 4;
pub(super) const WEIGHT_LAYOUT: usize = 6;
pub(super) const SMALL_MULTIPLIERS: usize = 7;
pub(super) const INPUT: usize = 8;

/// What records of nearly all kinds have.
pub(super) struct Common {
    /// The (first) input; of a constant, which has none, its output.
    pub(super) input: Tensor,
    pub(super) output: Tensor,
    pub(super) activation: Activation,
}

impl Common {
    /// Reads them; the output's record lies at `output`.
    #[cfg_attr(not(device), inline)]
    #[cfg_attr(device, inline(never))]
    pub(super) fn decode(record: &Record, output: usize) -> Result<Self, Problem> {
        Ok(Self {
            input: tensor(record, INPUT)?,
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
    if record.len() < at.saturating_add(format::TENSOR_LEN) {
        return Err(Problem::RecordLength);
    }
    Tensor::decode(record, at).ok_or(Problem::Tensor)
}

/// The fields that every record begins with.
#[inline]
fn activation(record: &Record) -> Result<Activation, Problem> {
    match (bytes::i8(record, ACTIVATION), bytes::i8(record, ACTIVATION + 1)) {
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

/// The `u16` at a constant offset, at compile time too.
#[inline(always)]
pub(super) const fn constant_half_word(record: &Record, at: usize) -> u16 {
    u16::from_le_bytes([record[at], record[at + 1]])
}

/// The number of a record's kind, at compile time too.
#[inline(always)]
pub(super) const fn kind(record: &Record) -> u16 {
    constant_half_word(record, KIND)
}

/// The shape of the tensor record at a constant offset, at compile time too.
#[inline(always)]
pub(super) const fn shape(record: &Record, at: usize) -> Shape {
    Shape {
        height: constant_half_word(record, at + 4),
        width: constant_half_word(record, at + 6),
        channels: constant_half_word(record, at + 8),
    }
}

/// Whether the record says that every multiplier is below a quarter, which kernels have a fast form for.
#[inline(always)]
pub(super) const fn has_small_multipliers(record: &Record) -> bool {
    record[SMALL_MULTIPLIERS] == 1
}

/// Writes bytes, all of which lie inside the record.
pub(super) fn put<const N: usize>(record: &mut Record, at: usize, value: [u8; N]) {
    if let Some(place) = record.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = value;
    }
}

/// Writes a tensor record.
pub(super) fn put_tensor(record: &mut Record, at: usize, tensor: &Tensor) {
    put(record, at, tensor.encode());
}

/// Writes what [`Common::decode`] reads.
pub(super) fn put_common(
    record: &mut Record,
    input: &Tensor,
    (at, output): (usize, &Tensor),
    activation: Activation,
) {
    put_tensor(record, INPUT, input);
    put_tensor(record, at, output);
    put(record, ACTIVATION, activation.min.to_le_bytes());
    put(record, ACTIVATION + 1, activation.max.to_le_bytes());
}
