//! The custom operators: what candle lacks to train MobileNetV2 fast on a CPU.
//!
//! One operator, [`chain`], carries everything up to the pooled features: [`inverted_residual`] blocks and the last
//! convolution with its average ([`features`]), each with forward and backward. Tensors are NHWC, an expanded tensor is
//! never stored, and a batch is split into parts that do not depend on the number of threads, so that a seed gives the
//! same bits on any number of cores.

#[cfg(target_arch = "x86_64")]
mod avx2;
pub(crate) mod batch_norm;
pub(crate) mod chain;
mod channel;
mod depthwise;
pub(crate) mod expansion;
pub(crate) mod features;
mod gemm;
pub(crate) mod geometry;
pub(crate) mod inverted_residual;
pub(crate) mod patches;
mod pool;
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
    /// Evaluation with given statistics, for each layer those of its batch normalisations.
    Evaluate(std::sync::Arc<Vec<Vec<batch_norm::Statistics>>>),
}

impl Mode {
    /// The given statistics of one layer; `None` in training.
    fn layer(&self, index: usize) -> Option<&[batch_norm::Statistics]> {
        match self {
            Self::Train => None,
            Self::Evaluate(statistics) => Some(&statistics[index]),
        }
    }
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
