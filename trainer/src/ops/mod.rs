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

/// The statistics of the batch normalisations of the leading layers that are not trained: of none in training, of all in
/// evaluation. The other layers use the batch's, and keep them for the caller to read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fixed(pub(crate) std::sync::Arc<Vec<Vec<batch_norm::Statistics>>>);

impl Fixed {
    /// Number of layers that are not trained.
    pub(crate) fn layers(&self) -> usize {
        self.0.len()
    }

    /// The statistics of one layer; `None` if it is trained.
    fn layer(&self, index: usize) -> Option<&[batch_norm::Statistics]> {
        self.0.get(index).map(Vec::as_slice)
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
