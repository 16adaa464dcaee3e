//! TensorFlow Lite's file format: full-integer int8 networks in, int8 networks out.
//!
//! | module | subject |
//! | --- | --- |
//! | `schema` | the flatbuffer's tables, made from `schema.fbs` by `planus rust -o schema.rs schema.fbs` (planus-cli 1.3) |
//! | `source` | what an untrusted file says, checked piece by piece |
//! | `read` | its operators as layers of a network |
//! | `write` | a network as a file |
//!
//! A file is read as [TensorFlow's int8 specification](https://ai.google.dev/edge/litert/models/quantization_spec) says:
//! weights with zero point 0, per tensor or per channel; activations per tensor; biases int32.

mod format;
mod names;
mod read;
#[allow(dead_code, missing_docs, unsafe_op_in_unsafe_fn, clippy::all, clippy::undocumented_unsafe_blocks)]
#[rustfmt::skip]
mod schema;
mod source;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Import, read};
pub use write::write;
