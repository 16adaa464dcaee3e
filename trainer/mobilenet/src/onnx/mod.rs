//! ONNX files: the trained network as one, and the pieces that any network is written with.
//!
//! | module | subject |
//! | --- | --- |
//! | [`schema`] | the file's messages |
//! | [`attribute`] | settings of nodes |
//! | [`builder`](GraphBuilder) | a graph that grows by a node at a time |
//! | [`mobilenet`](export) | the trained MobileNetV2 |

pub mod attribute;
mod builder;
mod mobilenet;
/// The messages of an ONNX file that edge8 writes and reads; the field numbers are those of the ONNX specification.
pub mod schema;
mod tensor;

pub use builder::{Dimension, GraphBuilder};
pub use mobilenet::export;
pub use tensor::{Element, tensor};
