//! The last convolution: 1x1, batch normalisation, ReLU6 and the average over each image.
//!
//! Its channels, 1280 unless fewer are asked for, are never stored: they are computed, pooled and forgotten in slabs,
//! forward and backward.

use std::ops::Range;

use rayon::prelude::*;

use super::batch_norm::Statistics;
use super::expansion::{Expansion, Sizes};
use super::gemm::{Output, accumulate, multiply};
use super::panels::Panels;
use super::{add_up, pool};

/// Channels of a slab, the unit of parallel work: six of the widest tiles.
const SLAB: usize = 144;

/// Rows of the input in a group: their slab stays in the second-level cache.
const GROUP_ROWS: usize = 256;

/// The layer's sizes. Its packed parameters are the weights `[k, n]`, gamma and beta.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Features {
    /// Rows of the input.
    pub(crate) height: usize,
    /// Columns of the input.
    pub(crate) width: usize,
    /// Channels of the input.
    pub(crate) k: usize,
    /// Channels of the output.
    pub(crate) n: usize,
}

/// What the layer keeps between forward and backward.
#[derive(Debug, Default)]
pub(crate) struct FeaturesState(Expansion);

impl FeaturesState {
    /// The statistics of the last pass, of the one batch normalisation.
    pub(crate) fn statistics(&self) -> Vec<Statistics> {
        vec![self.0.norm.statistics.clone()]
    }
}

/// One slab of channels of the layer, for a batch.
struct Slab<'a> {
    layer: &'a Features,
    expansion: &'a Expansion,
    weights: &'a [f32],
    x: &'a [f32],
    channels: Range<usize>,
}

/// One slab's share of the gradients.
struct Part {
    product: pool::Buffer,
    sum: Vec<f64>,
    dx: pool::Buffer,
}

impl Features {
    /// Number of packed parameters.
    pub(crate) fn parameters(&self) -> usize {
        (self.k + 2) * self.n
    }

    fn sizes(&self) -> Sizes {
        Sizes { k: self.k, stride: self.k, n: self.n }
    }

    fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Rows of the input in a group, whole images.
    fn group(&self) -> usize {
        (GROUP_ROWS / self.pixels()).max(1) * self.pixels()
    }

    fn slabs<'a>(&'a self, expansion: &'a Expansion, weights: &'a [f32], x: &'a [f32]) -> Vec<Slab<'a>> {
        let slab = |start: usize| {
            let channels = start..(start + SLAB).min(self.n);
            Slab { layer: self, expansion, weights, x, channels }
        };
        (0..self.n).step_by(SLAB).map(slab).collect()
    }

    /// Fills `output` with `[images, n]`. `fixed` are statistics that are used instead of the batch's.
    pub(crate) fn forward(
        &self,
        fixed: Option<&[Statistics]>,
        x: &[f32],
        images: usize,
        packed: &[f32],
        state: &mut FeaturesState,
        output: &mut Vec<f32>,
    ) {
        let (weights, affine) = packed.split_at(self.k * self.n);
        let (gamma, beta) = affine.split_at(self.n);
        let expansion = match fixed {
            None => Expansion::of_batch(self.sizes(), x, weights, gamma, beta),
            Some(statistics) => Expansion::fixed(statistics[0].clone(), gamma, beta),
        };
        let slabs = self.slabs(&expansion, weights, x);
        let parts: Vec<Vec<f32>> = slabs.par_iter().with_max_len(1).map(Slab::pooled).collect();
        output.resize(images * self.n, 0.0);
        for (Slab { channels, .. }, pooled) in slabs.iter().zip(&parts) {
            for (row, pooled) in output.chunks_exact_mut(self.n).zip(pooled.chunks_exact(channels.len())) {
                row[channels.clone()].copy_from_slice(pooled);
            }
        }
        state.0 = expansion;
    }

    /// `result` becomes the gradient of the packed parameters, `dx` that of the input.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn backward(
        &self,
        x: &[f32],
        images: usize,
        packed: &[f32],
        gradient: &[f32],
        state: &FeaturesState,
        dx: &mut Vec<f32>,
        result: &mut [f32],
    ) {
        let (k, n, expansion) = (self.k, self.n, &state.0);
        let weights = &packed[..k * n];
        let slabs = self.slabs(expansion, weights, x);
        let parts: Vec<Part> = slabs.par_iter().with_max_len(1).map(|slab| slab.backward(gradient)).collect();
        let (product, affine) = result.split_at_mut(k * n);
        let mut sum = Vec::with_capacity(n);
        for (Slab { channels, .. }, part) in slabs.iter().zip(&parts) {
            let rows = part.product.chunks_exact(channels.len());
            for (row, part) in product.chunks_exact_mut(n).zip(rows) {
                row[channels.clone()].copy_from_slice(part);
            }
            sum.extend_from_slice(&part.sum);
        }
        dx.resize(x.len(), 0.0);
        add_up(&parts.iter().map(|part| &*part.dx).collect::<Vec<_>>(), dx);
        let rows = images * self.pixels();
        let expand = expansion.backward(self.sizes(), rows, weights, &sum, product);
        let (gamma, beta) = affine.split_at_mut(n);
        gamma.copy_from_slice(&expand.gamma);
        beta.copy_from_slice(&expand.beta);
        expand.complete(k, x, dx, &mut pool::scratch(x.len()));
    }
}

impl Slab<'_> {
    /// The weights with the scale folded in, `[k, channels]`.
    fn folded(&self) -> Vec<f32> {
        let scale = &self.expansion.norm.scale[self.channels.clone()];
        let mut folded = Vec::with_capacity(self.layer.k * self.channels.len());
        for row in self.weights.chunks_exact(self.layer.n) {
            folded.extend(row[self.channels.clone()].iter().zip(scale).map(|(weight, scale)| weight * scale));
        }
        folded
    }

    /// The channel averages of each image, `[images, channels]`.
    fn pooled(&self) -> Vec<f32> {
        let (k, width, pixels, group) =
            (self.layer.k, self.channels.len(), self.layer.pixels(), self.layer.group());
        let offsets: Vec<usize> = (0..group).map(|row| row * width).collect();
        let bias = &self.expansion.norm.shift[self.channels.clone()];
        let folded = Panels::new(k, width, &self.folded());
        let mut activated = pool::scratch(group * width);
        let mut pooled = vec![0.0; self.x.len() / (k * pixels) * width];
        for (x, pooled) in self.x.chunks(group * k).zip(pooled.chunks_mut(group / pixels * width)) {
            let output = Output::BiasRelu6 { bias, offsets: &offsets };
            multiply(x.len() / k, x, k, &folded, &mut activated, output);
            let images = pooled.chunks_exact_mut(width).zip(activated.chunks_exact(pixels * width));
            for (pooled, activated) in images {
                for row in activated.chunks_exact(width) {
                    pooled.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                }
                pooled.iter_mut().for_each(|sum| *sum /= pixels as f32);
            }
        }
        pooled
    }

    /// The gradients from that of all pooled features, `[images, n]`.
    fn backward(&self, gradient: &[f32]) -> Part {
        let Features { k, n, .. } = *self.layer;
        let (width, pixels, group) = (self.channels.len(), self.layer.pixels(), self.layer.group());
        let offsets: Vec<usize> = (0..group).map(|row| row * width).collect();
        let bias = &self.expansion.norm.shift[self.channels.clone()];
        let folded = self.folded();
        let transposed = Panels::transposed(width, k, &folded);
        let folded = Panels::new(k, width, &folded);
        let mut activated = pool::scratch(group * width);
        let mut part =
            Part { product: pool::zeros(k * width), sum: vec![0.0; width], dx: pool::scratch(self.x.len()) };
        let groups = self.x.chunks(group * k).zip(part.dx.chunks_mut(group * k));
        for ((x, dx), gradient) in groups.zip(gradient.chunks(group / pixels * n)) {
            let rows = x.len() / k;
            let output = Output::BiasRelu6 { bias, offsets: &offsets };
            multiply(rows, x, k, &folded, &mut activated, output);
            let images = activated.chunks_exact_mut(pixels * width).zip(gradient.chunks_exact(n));
            for (activated, gradient) in images {
                let gradient = &gradient[self.channels.clone()];
                for row in activated.chunks_exact_mut(width) {
                    for ((value, gradient), sum) in row.iter_mut().zip(gradient).zip(&mut part.sum) {
                        let live = *value > 0.0 && *value < 6.0;
                        *value = if live { gradient / pixels as f32 } else { 0.0 };
                        *sum += f64::from(*value);
                    }
                }
            }
            accumulate(rows, k, width, x, k, &activated, &mut part.product);
            multiply(rows, &activated, width, &transposed, dx, Output::Rows);
        }
        part
    }
}
