//! Two int8 networks, or a network and another engine's tensors, on the same inputs: where they part, and why.
//!
//! Each layer is judged alone: A's arithmetic is run on *B's* inputs to the layer. What it gives then and B has, B has
//! only inherited from earlier layers. What it does not give is B's own doing, and each such element is looked for in
//! the arithmetics that engines are known to use ([`Rule`]). What none of them gives is what an error looks like.
//!
//! | | contract | TFLite Micro, CMSIS-NN | LiteRT reference | LiteRT without XNNPACK | LiteRT with XNNPACK | ONNX Runtime |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | CONV_2D | contract | double rounding | double rounding | double, halves up | f32 product | f32 product |
//! | DEPTHWISE_CONV_2D | contract | double rounding | double rounding | double rounding | f32 product | f32 product |
//! | FULLY_CONNECTED | contract | double rounding | f64 product | double, halves up | f32 product | f32 product |
//! | ADD | contract | double rounding | double rounding | double rounding | fixed-point sum | f32 sum |
//! | MEAN | contract | double rounding | double rounding | double; halves up with keep_dims | f32 product | f32 product |
//! | AVERAGE_POOL_2D | contract | contract | contract | contract | contract | exact halves either way |
//! | SOFTMAX | contract | contract | contract | f32 exponentials | f32 exponentials | f32 exponentials |
//!
//! What a dump has no layers for, as the outputs of all inputs but the first, is looked for from end to end in each
//! engine. That fails where an engine's rounding is a matter of chance, as of ONNX Runtime's averages: dump such an input
//! by itself.
//!
//! Two networks run in the same arithmetic, so that no rounding can explain a difference between them: what differs of
//! its own has other constants, which are named.

mod accumulate;
mod against_dump;
mod against_network;
mod align;
mod comparison;
mod constants;
mod dump;
mod engine;
mod finding;
pub mod inputs;
mod judge;
mod pooled;
mod report;
mod rescale;
mod rule;
mod single;
mod site;
mod softmax;
mod sum;
mod trace;

#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod tests;

pub use comparison::Comparison;
pub use dump::Dump;
pub use engine::Engine;
pub use finding::{Finding, Unexplained};
pub use rule::Rule;

use crate::quantize::Network;
use anyhow::Result;

/// What A is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Other<'a> {
    /// Another network.
    Network(&'a Network),
    /// Another engine's tensors.
    Dump(&'a Dump),
}

/// Compares A and B on inputs of the length that A takes; the outputs of a dump belong to the inputs in their order.
///
/// # Errors
/// If A or B cannot be run, B has other inputs or outputs than A, or nothing in B belongs to a layer of A.
pub fn compare(a: &Network, b: Other<'_>, inputs: &[Vec<i8>]) -> Result<Comparison> {
    match b {
        Other::Network(b) => against_network::compare(a, b, inputs),
        Other::Dump(b) => against_dump::compare(a, b, inputs),
    }
}
