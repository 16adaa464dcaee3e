//! The last convolution as one candle operator: 1x1, batch normalisation, ReLU6 and the average over each image.
//!
//! Its 1280 channels are never stored: they are computed, pooled and forgotten in slabs, forward and backward.

use std::sync::{Arc, Mutex, MutexGuard};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::Mode;
use super::batch_norm::Statistics;
use super::expansion::{Expansion, Sizes};
use super::gemm::{Output, accumulate, multiply, transpose};
use super::inverted_residual::{contiguous, with_values};

/// Channels of a slab, the unit of parallel work.
const SLAB: usize = 128;

/// Rows of the input in a group: their slab stays in the second-level cache.
const GROUP_ROWS: usize = 256;

/// The operator: `x` is `[images, height, width, k]`, the second argument weights `[k, n]`, gamma and beta, packed;
/// the result is `[images, n]`.
pub(crate) struct Features {
    sizes: Sizes,
    mode: Mode,
    state: Arc<Mutex<Expansion>>,
}

/// One slab of channels of an [`Expansion`].
struct Slab {
    channels: std::ops::Range<usize>,
    /// `[k, channels]`.
    folded: Vec<f32>,
}

/// One slab's share of the gradients.
struct Part {
    product: Vec<f32>,
    sum: Vec<f64>,
    dx: Vec<f32>,
}

impl Features {
    /// One application; `state` is the layer's own, and its normalisation holds the statistics afterwards.
    pub(crate) fn new(k: usize, n: usize, mode: Mode, state: Arc<Mutex<Expansion>>) -> Self {
        Self { sizes: Sizes { k, stride: k, n }, mode, state }
    }

    fn state(&self) -> MutexGuard<'_, Expansion> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn slabs(&self, expansion: &Expansion) -> Vec<Slab> {
        let n = self.sizes.n;
        (0..n)
            .step_by(SLAB)
            .map(|start| {
                let channels = start..(start + SLAB).min(n);
                let rows = expansion.folded.chunks_exact(n);
                Slab { folded: rows.flat_map(|row| row[channels.clone()].to_vec()).collect(), channels }
            })
            .collect()
    }

    /// The channel averages of each image, `[images, channels]`, for one slab.
    fn pooled(&self, slab: &Slab, expansion: &Expansion, x: &[f32], pixels: usize) -> Vec<f32> {
        let (k, width) = (self.sizes.k, slab.channels.len());
        let group = (GROUP_ROWS / pixels).max(1) * pixels;
        let offsets: Vec<usize> = (0..group).map(|row| row * width).collect();
        let bias = &expansion.norm.shift[slab.channels.clone()];
        let mut activated = vec![0.0; group * width];
        let mut pooled = vec![0.0; x.len() / (k * pixels) * width];
        for (x, pooled) in x.chunks(group * k).zip(pooled.chunks_mut(group / pixels * width)) {
            let output = Output::BiasRelu6 { bias, offsets: &offsets };
            multiply(x.len() / k, k, width, x, k, &slab.folded, &mut activated, output);
            for (pooled, activated) in
                pooled.chunks_exact_mut(width).zip(activated.chunks_exact(pixels * width))
            {
                for row in activated.chunks_exact(width) {
                    pooled.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                }
                pooled.iter_mut().for_each(|sum| *sum /= pixels as f32);
            }
        }
        pooled
    }

    fn forward(&self, expansion: &Expansion, x: &[f32], images: usize) -> Vec<f32> {
        let (k, n) = (self.sizes.k, self.sizes.n);
        let pixels = x.len() / (images * k);
        let parts: Vec<(Slab, Vec<f32>)> = (self.slabs(expansion).into_par_iter())
            .with_max_len(1)
            .map(|slab| {
                let pooled = self.pooled(&slab, expansion, x, pixels);
                (slab, pooled)
            })
            .collect();
        let mut result = vec![0.0; images * n];
        for (slab, pooled) in &parts {
            for (row, pooled) in result.chunks_exact_mut(n).zip(pooled.chunks_exact(slab.channels.len())) {
                row[slab.channels.clone()].copy_from_slice(pooled);
            }
        }
        result
    }

    /// One slab's gradients from that of the pooled features, `[images, n]`.
    fn slab_backward(
        &self,
        slab: &Slab,
        expansion: &Expansion,
        x: &[f32],
        pixels: usize,
        gradient: &[f32],
    ) -> Part {
        let (Sizes { k, n, .. }, width) = (self.sizes, slab.channels.len());
        let group = (GROUP_ROWS / pixels).max(1) * pixels;
        let offsets: Vec<usize> = (0..group).map(|row| row * width).collect();
        let bias = &expansion.norm.shift[slab.channels.clone()];
        let transposed = transpose(k, width, &slab.folded);
        let mut activated = vec![0.0; group * width];
        let mut part = Part { product: vec![0.0; k * width], sum: vec![0.0; width], dx: vec![0.0; x.len()] };
        let groups = x.chunks(group * k).zip(part.dx.chunks_mut(group * k));
        for ((x, dx), gradient) in groups.zip(gradient.chunks(group / pixels * n)) {
            let rows = x.len() / k;
            let output = Output::BiasRelu6 { bias, offsets: &offsets };
            multiply(rows, k, width, x, k, &slab.folded, &mut activated, output);
            let images = activated.chunks_exact_mut(pixels * width).zip(gradient.chunks_exact(n));
            for (activated, gradient) in images {
                let gradient = &gradient[slab.channels.clone()];
                for row in activated.chunks_exact_mut(width) {
                    for channel in 0..width {
                        let value = gradient[channel] / pixels as f32;
                        let live = row[channel] > 0.0 && row[channel] < 6.0;
                        row[channel] = if live { value } else { 0.0 };
                        part.sum[channel] += f64::from(row[channel]);
                    }
                }
            }
            accumulate(rows, k, width, x, k, &activated, &mut part.product);
            multiply(rows, width, k, &activated, width, &transposed, dx, Output::Rows);
        }
        part
    }

    fn backward(
        &self,
        expansion: &Expansion,
        x: &[f32],
        images: usize,
        packed: &[f32],
        gradient: &[f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let Sizes { k, n, .. } = self.sizes;
        let rows = x.len() / k;
        let parts: Vec<(Slab, Part)> = (self.slabs(expansion).into_par_iter())
            .with_max_len(1)
            .map(|slab| {
                let part = self.slab_backward(&slab, expansion, x, rows / images, gradient);
                (slab, part)
            })
            .collect();
        let mut product = vec![0.0; k * n];
        let mut sum = Vec::with_capacity(n);
        for (slab, part) in &parts {
            let width = slab.channels.len();
            for (row, part) in product.chunks_exact_mut(n).zip(part.product.chunks_exact(width)) {
                row[slab.channels.clone()].copy_from_slice(part);
            }
            sum.extend_from_slice(&part.sum);
        }
        let mut dx = super::total(parts.into_iter().map(|(_, part)| part.dx));
        let expand = expansion.backward(self.sizes, rows, &packed[..k * n], product, &sum);
        expand.complete(k, x, &mut dx, &mut Vec::new());
        (dx, [expand.weights, expand.gamma, expand.beta].concat())
    }
}

/// The statistics of the last pass.
pub(crate) fn statistics(state: &Mutex<Expansion>) -> Statistics {
    let state = state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    state.norm.statistics.clone()
}

impl CustomOp2 for Features {
    fn name(&self) -> &'static str {
        "features"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        packed: &CpuStorage,
        packed_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = contiguous(x, x_layout)?;
        let packed = contiguous(packed, packed_layout)?;
        let (images, _, _, columns) = x_layout.shape().dims4()?;
        let Sizes { k, n, .. } = self.sizes;
        if columns != k || packed.len() != (k + 2) * n {
            bail!(
                "features: {columns} channels and {} parameters, expected {k} and {}",
                packed.len(),
                (k + 2) * n
            );
        }
        let (weights, affine) = packed.split_at(k * n);
        let (gamma, beta) = affine.split_at(n);
        let expansion = match &self.mode {
            Mode::Train => Expansion::of_batch(self.sizes, x, weights, gamma, beta),
            Mode::Evaluate(statistics) => Expansion::fixed(statistics[0].clone(), weights, gamma, beta),
        };
        let result = self.forward(&expansion, x, images);
        *self.state() = expansion;
        Ok((CpuStorage::F32(result), (images, n).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        packed: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        if !matches!(self.mode, Mode::Train) {
            bail!("features: no gradient, the layer was evaluated without training");
        }
        let expansion = self.state();
        let gradient = gradient.contiguous()?;
        let images = x.dim(0)?;
        let (dx, packed_gradient) = with_values(x, |x| {
            with_values(packed, |packed| {
                with_values(&gradient, |gradient| Ok(self.backward(&expansion, x, images, packed, gradient)))
            })
        })?;
        let dx = Tensor::from_vec(dx, x.shape(), x.device())?;
        Ok((Some(dx), Some(Tensor::from_vec(packed_gradient, packed.shape(), packed.device())?)))
    }
}
