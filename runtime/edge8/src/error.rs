//! Why an image is refused or a run cannot start.

use crate::format::section;
use core::fmt;

/// Why a model image is refused, or a run cannot start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The file does not begin with the magic bytes of a model image.
    Magic,
    /// The format version is not one that this library reads.
    Version {
        /// The image's version.
        found: u16,
    },
    /// The image was made for another int8 arithmetic.
    Contract {
        /// The image's contract id.
        found: u32,
    },
    /// The image is shorter or longer than its header says, or than the header itself.
    ImageLength {
        /// Bytes that the header states.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The content does not match the checksum: the image was damaged.
    Checksum {
        /// Checksum in the header.
        expected: u32,
        /// Checksum of the bytes.
        found: u32,
    },
    /// A reserved field of the header is not zero.
    Reserved,
    /// The section with this index lies outside the image, out of order or unaligned.
    SectionPlace {
        /// Index in the section table.
        index: u32,
    },
    /// A section that must be understood is unknown to this library.
    SectionKind {
        /// The section's kind.
        found: u32,
    },
    /// A section that is needed is absent.
    SectionMissing {
        /// The section's kind.
        kind: u32,
    },
    /// A section's content is not what its kind prescribes.
    SectionContent {
        /// The section's kind.
        kind: u32,
    },
    /// There is no input or no output, one of them is invalid, not kept as a whole or outside the arena, or an output is not what
    /// an operator writes, the last one's among them.
    Endpoint,
    /// The number of operator records is not the one in the header.
    OperatorCount {
        /// Number that the header states.
        expected: u32,
        /// Records that the section holds, as far as they could be read.
        found: u32,
    },
    /// An operator record is invalid.
    Operator {
        /// Its index, from 0.
        index: u32,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A step of the schedule names no operator, rows that its operator does not have, or a part of what can only be
    /// computed at once.
    Step {
        /// Its index, from 0.
        index: u32,
    },
    /// The schedule does not compute as many rows as the operators have.
    Schedule {
        /// Rows of all operators' outputs.
        expected: u64,
        /// Rows of all steps.
        found: u64,
    },
    /// The input slice has the wrong length.
    InputLength {
        /// Values that the model takes.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// The output slice has the wrong length.
    OutputLength {
        /// Values that the model gives.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// The arena of a model that is built for its operators does not lie at a multiple of 4.
    ArenaPlace,
    /// The arena is too small.
    ArenaLength {
        /// Bytes that the model needs.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
}

/// What is wrong with an operator record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Problem {
    /// This library does not know the operator.
    Kind(u16),
    /// The program is built for another model and has no code for this kind of operator, or, of 0, for unusual forms of any.
    NotBuilt(u16),
    /// This library does not know the order in which the weights are packed.
    WeightLayout(u8),
    /// A reserved byte is not zero.
    Reserved,
    /// The record is shorter than its kind needs.
    RecordLength,
    /// A tensor has a side of zero, is too large, has a zero point outside int8 or a scale that is not positive and
    /// finite; or a softmax's output is not in steps of 1/256 from -128.
    Tensor,
    /// A tensor reaches beyond the arena, or into the bytes that kernels work in.
    OutsideArena,
    /// The kernel needs more bytes to work in than the arena has before its tensors.
    Scratch,
    /// The arena does not keep as many rows of a tensor as the operator needs at once.
    Rows,
    /// The output overlaps an input, and not exactly the first one of an operator that works in place.
    Overlap,
    /// The shapes of inputs and output do not belong together.
    Shapes,
    /// Kernel, stride and padding do not lead from the input's shape to the output's.
    Window,
    /// Input and output differ in zero point or scale, and the operator does not rescale.
    Quantisation,
    /// Weights, biases or multipliers reach beyond their section or overlap another operator's.
    Weights,
    /// A sum of weights in the image is not that of its channel's weights.
    Sum,
    /// A weight is -128; the contract has them in [-127, 127].
    WeightRange,
    /// What fills a row of weights up is not zero.
    Filling,
    /// A sum could leave 32 bits.
    Accumulator,
    /// A multiplier is out of range.
    Multiplier,
    /// The activation's smallest value is above its largest, or the operator takes no activation.
    Activation,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Magic => {
                f.write_str("not a model image: it does not begin with the bytes of an .edge8 file")
            }
            Self::Version { found } => {
                write!(
                    f,
                    "format version {found}, this library reads version 3: make the image again with its quantizer"
                )
            }
            Self::Contract { found } => {
                write!(f, "int8 contract {found}, this library computes contract 1: make the image again")
            }
            Self::ImageLength { expected, found } => {
                write!(f, "the image should have {expected} bytes, found {found}: the file was cut or padded")
            }
            Self::Checksum { expected, found } => {
                write!(
                    f,
                    "checksum {found:08x}, the header says {expected:08x}: the image was damaged, copy it again"
                )
            }
            Self::Reserved => {
                f.write_str("a reserved header field is not zero: the image needs a newer library")
            }
            Self::SectionPlace { index } => write!(f, "section {index} is out of order or outside the image"),
            Self::SectionKind { found } => {
                write!(
                    f,
                    "section kind {found} must be understood and is not: the image needs a newer library"
                )
            }
            Self::SectionMissing { kind } => write!(f, "the image has no {}", section_name(kind)),
            Self::SectionContent { kind } => {
                write!(f, "the image's {} section is invalid", section_name(kind))
            }
            Self::Endpoint => {
                f.write_str("an input or output tensor of the network is missing, invalid, or not the operators'")
            }
            Self::OperatorCount { expected, found } => {
                write!(f, "the header states {expected} operators, the image holds {found}")
            }
            Self::Operator { index, problem } => write!(f, "operator {index}: {problem}"),
            Self::Step { index } => {
                write!(f, "step {index} of the schedule does not fit its operator: make the image again")
            }
            Self::Schedule { expected, found } => {
                write!(
                    f,
                    "the operators have {expected} rows, the schedule computes {found}: make the image again"
                )
            }
            Self::InputLength { expected, found } => {
                write!(f, "the input has {expected} values, found {found}")
            }
            Self::OutputLength { expected, found } => {
                write!(f, "the output has {expected} values, found {found}")
            }
            Self::ArenaPlace => f.write_str("the arena begins at an odd place, no multiple of 4: use the `Arena` of the model's own module"),
            Self::ArenaLength { expected, found } => {
                write!(f, "the arena needs {expected} bytes, found {found}")
            }
        }
    }
}

/// The name of a kind of section.
fn section_name(kind: u32) -> &'static str {
    match kind {
        section::OPERATORS => "operators",
        section::WEIGHTS => "weights",
        section::SCHEDULE => "schedule",
        section::LABELS => "labels",
        section::RECIPE => "pre-processing recipe",
        section::PROVENANCE => "provenance",
        section::CALIBRATION => "calibration",
        section::TEST_VECTORS => "test vectors",
        section::REJECT => "reject rule",
        _ => "such section",
    }
}

impl core::error::Error for Error {}

impl core::error::Error for Problem {}
