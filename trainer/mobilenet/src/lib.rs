//! The float MobileNetV2 as its file holds it: what `trainer` writes and `quantizer` reads.
//!
//! | module | subject |
//! | --- | --- |
//! | [`architecture`](Architecture) | blocks and channels, and every tensor's name and shape |
//! | [`confidence`](Confidence) | how sure it was of validation pictures |
//! | [`file`](ModelFile) | the safetensors file: weights by name, and in its metadata how to rebuild and feed them |
//! | [`preprocessing`](Preprocessing) | how a picture becomes the input |
//! | [`onnx`] | the network as an ONNX file, and the pieces that any network is written with |

mod architecture;
mod confidence;
mod file;
pub mod onnx;
mod preprocessing;
mod untrained;

pub use architecture::{
    Architecture, BATCH_NORM_EPSILON, Block, DEFAULT_HIDDEN, Dense, KERNEL, make_divisible,
};
pub use confidence::Confidence;
pub use file::{ModelFile, Weights, from_bytes, to_bytes};
pub use preprocessing::Preprocessing;
