//! Trains the float MobileNetV2 that edge8 quantises.

mod augment;
#[cfg(feature = "cuda")]
mod cuda;
pub mod device;
pub mod download;
pub mod evaluate;
pub mod fit;
mod input;
pub mod network;
mod ops;
mod optimizer;
pub mod plot;
