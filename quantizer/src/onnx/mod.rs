//! ONNX files: float networks in, int8 networks out.

mod read;
mod write;

pub use read::{Import, read};
pub use write::write;
