//! A small float network: a directed acyclic graph of operators over NHWC tensors, batch norm already folded.

mod fold;
mod mobilenet;
mod network;
mod operator;
mod shape;
mod window;

pub use fold::{BatchNorm, fold};
pub use mobilenet::from_safetensors;
pub use network::{Graph, Node, Tensor, TensorId};
pub use operator::{Activation, Border, Filter, Operator};
pub use shape::Shape;
pub use window::Window;
