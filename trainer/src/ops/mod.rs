//! The convolutional layers, which candle lacks in a form that trains fast on a CPU.
//!
//! [`chain`] carries everything up to the pooled features: [`inverted_residual`] blocks and the last
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
mod panels;
pub(crate) mod patches;
mod pool;
#[cfg(test)]
pub(crate) mod reference;
#[cfg(test)]
mod tests;
mod vector;

use rayon::prelude::*;

/// Parts of a batch, at most, that are worked on in parallel and added up in order.
const CHUNKS: usize = 16;

/// Rows of such a part, at least: the gradients of large weights, which the parts have to add up, are soon computed from few.
const CHUNK_ROWS: usize = 64;

/// Lets `total` be the sum of the parts, added up in their order.
fn add_up(parts: &[&[f32]], total: &mut [f32]) {
    const TASK: usize = 8 << 10;
    total.par_chunks_mut(TASK).enumerate().for_each(|(index, total)| {
        let (start, length) = (index * TASK, total.len());
        let mut parts = parts.iter().map(|part| &part[start..][..length]);
        match parts.next() {
            Some(first) => total.copy_from_slice(first),
            None => total.fill(0.0),
        }
        for part in parts {
            total.iter_mut().zip(part).for_each(|(total, value)| *total += value);
        }
    });
}
