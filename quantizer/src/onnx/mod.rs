//! ONNX files: int8 networks out.

mod write;

pub use write::write;
