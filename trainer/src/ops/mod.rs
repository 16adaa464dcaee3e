//! The custom operators: what candle lacks to train MobileNetV2 fast on a CPU.
//!
//! Two operators carry the network, each with forward and backward: [`inverted_residual`] (a whole block) and
//! [`features`] (last convolution and global average pool). Both keep tensors NHWC, never store an expanded tensor,
//! and split the batch into parts that do not depend on the number of threads, so that a seed gives the same bits on
//! any number of cores.

pub(crate) mod batch_norm;
mod channel;
mod depthwise;
pub(crate) mod expansion;
pub(crate) mod features;
mod gemm;
pub(crate) mod geometry;
pub(crate) mod inverted_residual;
pub(crate) mod patches;
#[cfg(test)]
pub(crate) mod reference;
#[cfg(test)]
mod tests;
mod vector;

/// Parts of a batch that are worked on in parallel and added up in order.
const CHUNKS: usize = 16;

/// Whether batch normalisation uses the batch's statistics or given ones.
#[derive(Clone, Debug)]
pub(crate) enum Mode {
    /// Training: the statistics of the batch, which are kept for the caller to read.
    Train,
    /// Evaluation with given statistics, one for each batch normalisation.
    Evaluate(Vec<batch_norm::Statistics>),
}

/// Adds up vectors in their order.
fn total(parts: impl Iterator<Item = Vec<f32>>) -> Vec<f32> {
    parts
        .reduce(|mut total, part| {
            total.iter_mut().zip(&part).for_each(|(total, value)| *total += value);
            total
        })
        .unwrap_or_default()
}
