//! The model image, byte by byte.
//!
//! An image (`.edge8`) is one flat file, little-endian, read in place. It has a header, a section table and sections.
//! `format` names the numbers below.
//!
//! # Header, 64 bytes
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 0 | `[u8; 8]` | magic, `edge8\r\n\x1a` |
//! | 8 | `u16` | format version, 3; it changes only where an old reader would misread a new image |
//! | 10 | `u16` | 0 |
//! | 12 | `u32` | int8 contract, 1: TensorFlow Lite's int8 specification with single rounding |
//! | 16 | `u32` | length of the image in bytes |
//! | 20 | `u32` | CRC-32 (IEEE) of the image, this field read as 0 |
//! | 24 | `u32` | length of the arena in bytes |
//! | 28 | `u32` | bytes at the begin of the arena in which kernels work; the tensors lie behind |
//! | 32 | `u32` | 0; kept for the bytes of the arena that last from run to run |
//! | 36 | `u32` | number of operators |
//! | 40 | `u32` | number of sections |
//! | 44 | `u16` | number of the network's inputs, at least 1 |
//! | 46 | `u16` | number of the network's outputs, 1 to 64 |
//! | 48 | `[u8; 16]` | 0 |
//!
//! The tensor records of the inputs follow, then those of the outputs, then the section table. Inputs and outputs are kept as a
//! whole; each output is what an operator writes, the last operator's among them.
//!
//! # Tensor record, 16 bytes
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 0 | `u32` | first byte in the arena |
//! | 4 | `u16` | height, at least 1 |
//! | 6 | `u16` | width, at least 1 |
//! | 8 | `u16` | channels, at least 1 |
//! | 10 | `i8` | zero point |
//! | 11 | `u8` | rows that the arena keeps, 0 for all: row `y` lies in the place of row `y % rows` |
//! | 12 | `f32` | scale, positive and finite; for tools, no kernel reads it |
//!
//! A tensor is `height * width * channels` int8 values, channels last.
//!
//! # Section table, 16 bytes a section
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 0 | `u32` | kind |
//! | 4 | `u32` | offset of the section from the image's first byte, a multiple of 16 |
//! | 8 | `u32` | length in bytes |
//! | 12 | `u32` | flags; bit 0: refuse the image if the kind is unknown. Other kinds are skipped |
//!
//! Sections lie in the order of the table and do not overlap.
//!
//! | kind | section | content |
//! | --- | --- | --- |
//! | 1 | operators | records, one after the other, each after those whose outputs it reads |
//! | 2 | weights | weights and per-channel constants, in the order in which the operators read them |
//! | 3 | schedule | which rows of which operator are computed when, see [`Steps`] |
//! | 16 | labels | UTF-8, one class name a line |
//! | 17 | recipe | the pre-processing, see [`Recipe`](crate::Recipe) |
//! | 18 | provenance | UTF-8 JSON: training data, command, accuracy |
//! | 19 | calibration | UTF-8 JSON: method, samples, ranges |
//! | 20 | test vectors | see [`TestVectors`] |
//! | 21 | reject rule | see [`Reject`](crate::Reject) |
//!
//! # Operator records
//!
//! Every record has 72 bytes, those that its kind does not use 0, and begins with
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 0 | `u16` | kind |
//! | 2 | `u16` | 0 |
//! | 4 | `i8`, `i8` | smallest and largest output (the fused activation) |
//! | 6 | `u8` | order in which the weights are packed, 1; 0 without weights |
//! | 7 | `u8` | 1 where every multiplier is below 1/4, else 0 |
//! | 8 | tensor | (first) input; of a constant, which has none, its output |
//!
//! The list of kinds with their numbers stands in `operator/mod.rs`, what their records go on with at the top of the file of each:
//! `operator/add.rs`, ...
//!
//! Operators that work in place (the file of the kind says so) may write their output over their first input, at the same
//! offset; any other output lies clear of the inputs. The second input of an add has the output's shape, or 1 where a side is to be repeated. Pools and pads
//! have the input's scale and zero point in the output; padding is that zero point.
//!
//! Offsets count from the begin of the weights section. Weights are int8, packed as [`packing`](crate::packing) says.
//! Constants of `n` output channels are `[i32; n]` biases, `[i32; n]` sums of the channel's weights, `[i32; n]` mantissas,
//! `[i8; n]` shifts. The bias has `-zero point * sum` of the input in it: with `x` as it is stored,
//! `bias + sum of w * x` is what the contract calls the accumulator. Together the operators claim at most the section's
//! length.
//!
//! # Room for what comes next
//!
//! A new operator is a new kind (a program's set of kinds has room for 63), a new piece of information a new section: old readers
//! skip what they may and refuse, by name, what they must not. An operator with more tensors than its record holds points to a
//! section of its own with the others. Weights of 4 bits are another order of packing, in byte 6 of a record. A recipe and a
//! reject rule begin with their kind. A part of the arena that lasts from run to run has its length in the header.

mod header;
mod records;
mod schedule;
mod sections;
mod test_vectors;

pub(crate) use header::Header;
pub use records::Operators;
pub(crate) use records::{check_operators, check_steps};
pub use schedule::{Step, Steps};
pub(crate) use sections::Sections;
pub use test_vectors::{TestVector, TestVectors};
