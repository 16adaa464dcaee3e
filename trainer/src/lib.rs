//! Trains the float MobileNetV2 that edge8 quantises.

pub mod data;
pub mod evaluate;
pub mod file;
pub mod fit;
pub mod mobilenet;
pub mod network;
pub mod onnx;
mod ops;
mod optimizer;
pub mod plot;
