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
mod site;
mod softmax;
mod sum;
mod trace;

#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod tests;

pub use dump::Dump;
pub use engine::Engine;
pub use finding::{Finding, Unexplained};
pub use rule::Rule;

use crate::quantize::Network;
use align::Item;
use anyhow::Result;

/// What A is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Other<'a> {
    /// Another network.
    Network(&'a Network),
    /// Another engine's tensors.
    Dump(&'a Dump),
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Number of inputs.
    pub inputs: usize,
    /// The layers that both have, in A's order; of a dump, whose layers are those of the first input, at the end the
    /// network's output for the others.
    pub findings: Vec<Finding>,
    /// Layers that only A has, and that only B has.
    pub alone: [Vec<String>; 2],
    /// The engines that give every value of B that was compared.
    pub engines: Vec<Engine>,
}

impl Comparison {
    /// Whether no element is unexplained.
    pub fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.unexplained == 0)
    }
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

/// The layers of a network as they are matched with another's.
fn items(network: &Network) -> Vec<Item<'_>> {
    let layers = network.layers.iter();
    let items = layers.map(|layer| Item {
        name: &layer.name,
        operator: layer.operator.name(),
        len: network.tensor(layer.output).shape.volume(),
    });
    items.collect()
}

/// The names of the items that no pair has, without those that compute nothing.
fn unpaired(items: &[Item<'_>], paired: &[usize]) -> Vec<String> {
    let alone = items.iter().enumerate().filter(|(index, _)| !paired.contains(index)).map(|(_, item)| item);
    alone
        .filter(|item| !["RESHAPE", "CONSTANT"].contains(&item.operator))
        .map(|item| item.name.to_owned())
        .collect()
}

/// What was found on several inputs, in one list; the inputs have the same layers.
fn merged(each: Vec<Vec<Finding>>) -> Vec<Finding> {
    let mut each = each.into_iter();
    let mut findings = each.next().unwrap_or_default();
    for later in each {
        findings.iter_mut().zip(later).for_each(|(finding, later)| finding.merge(later));
    }
    findings
}
