//! The float network: values, forward pass for evaluation, and a step's gradient. The convolutional layers are `ops`, the
//! dense ones candle's.

#[cfg(feature = "cuda")]
mod cuda;
mod head;
mod layers;
mod stored;
mod transfer;

use std::sync::{Mutex, MutexGuard};

use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};

use crate::ops::batch_norm::{Moments, Statistics};
use crate::ops::chain::{Chain, Input};
use crate::ops::geometry::Geometry;
use crate::ops::patches::{patch_len, patches};
pub(crate) use head::Learnt;
use layers::Part;
use mobilenet::Architecture;

/// MobileNetV2 with its weights. Its layers are 17 blocks, the first together with the stem, and the last convolution.
pub struct Network {
    architecture: Architecture,
    stem: Geometry,
    layers: Mutex<Chain>,
    /// What the values are, in their order.
    parts: Vec<Part>,
    /// Those of the layers, then weight and bias of each dense layer.
    values: Vec<f32>,
    /// Of every layer's batch normalisations, for evaluation.
    statistics: Vec<Vec<Statistics>>,
    /// Of the leading layers that are not trained.
    frozen: Vec<Vec<Statistics>>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Network").field("architecture", &self.architecture).finish_non_exhaustive()
    }
}

impl Network {
    /// A network with random weights, the same for the same seed.
    pub fn new(architecture: Architecture, seed: u64) -> Self {
        let [rows, columns] = architecture.input;
        let stem = Geometry::new(rows, columns, architecture.stem_stride);
        let layers = layers::layers(&architecture, &stem);
        let parts = layers::parts(&architecture, &layers);
        Self {
            stem,
            values: layers::first_values(&parts, seed),
            parts,
            statistics: layers::unit_statistics(&layers),
            layers: Mutex::new(Chain::new(&layers)),
            frozen: Vec::new(),
            architecture,
        }
    }

    /// How the network is built.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Number of values that training finds.
    pub fn parameter_count(&self) -> usize {
        self.values.len()
    }

    /// The logits `[images, classes]` of pictures `[images, rows, columns, channels]` (f32, as the
    /// pre-processing makes them), for evaluation: batch normalisation with stored statistics, no dropout.
    ///
    /// # Errors
    /// For a tensor of another shape or type.
    pub fn logits(&self, pictures: &Tensor) -> Result<Tensor> {
        let patches = self.patches(pictures)?;
        let features = lock(&self.layers).forward(&self.statistics, self.input(&patches)).to_vec();
        let channels = self.architecture.last_channels();
        let features = Tensor::from_vec(features, ((), channels), &Device::Cpu)?;
        let dense = self.dense().map(|dense| Ok(dense?.into_inner())).collect::<Result<Vec<Tensor>>>()?;
        self.head(&features, &dense, None)
    }

    /// Logits and loss of a batch in training, and into `gradient` the gradient of the loss by all values; those that are
    /// not trained are left as they were. `dropout` (`[images, dropout width]`, 0 or the inverse of the share kept) is
    /// multiplied to the hidden layer, or to the pooled features if there is none.
    pub(crate) fn learn(
        &self,
        pictures: &Tensor,
        dropout: &[f32],
        loss: impl FnOnce(&Tensor) -> Result<Tensor>,
        gradient: &mut [f32],
    ) -> Result<Learnt> {
        let patches = self.patches(pictures)?;
        let input = self.input(&patches);
        let mut layers = lock(&self.layers);
        let (gradient, dense) = gradient.split_at_mut(layers.parameters(self.statistics.len()));
        let features = layers.forward(&self.frozen, input).to_vec();
        let (learnt, features) = self.learn_head(features, dropout, loss, dense)?;
        layers.backward(self.frozen.len(), input, &features, gradient);
        Ok(learnt)
    }

    /// Mixes its statistics with those of another network of the same sizes, of which so much is taken.
    pub(crate) fn mix_statistics(&mut self, other: &Self, share: f32) {
        for (own, other) in self.statistics.iter_mut().flatten().zip(other.statistics.iter().flatten()) {
            let own = own.mean.iter_mut().chain(&mut own.variance);
            let other = other.mean.iter().chain(&other.variance);
            own.zip(other).for_each(|(own, other)| *own += share * (other - *own));
        }
    }

    /// Keeps the leading layers as they are, with their statistics: 0 to all of them, where only the dense layers learn.
    pub(crate) fn freeze(&mut self, layers: usize) {
        self.frozen = self.statistics[..layers].to_vec();
    }

    /// Number of values that are not trained; they are the first.
    pub(crate) fn frozen_values(&self) -> usize {
        lock(&self.layers).parameters(self.frozen.len())
    }

    /// What the values are, in their order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The values that are trained.
    pub(crate) fn trained(&self) -> &[f32] {
        &self.values[self.frozen_values()..]
    }

    /// The values that are trained, to set them.
    pub(crate) fn trained_mut(&mut self) -> &mut [f32] {
        let frozen = self.frozen_values();
        &mut self.values[frozen..]
    }

    /// Each part with its values.
    fn named(&self) -> impl Iterator<Item = (&Part, &[f32])> {
        let mut rest = self.values.as_slice();
        self.parts.iter().map(move |part| {
            let (values, others) = rest.split_at(part.len());
            rest = others;
            (part, values)
        })
    }

    /// Each part with its values, to set them.
    fn named_mut(&mut self) -> impl Iterator<Item = (&Part, &mut [f32])> {
        let mut rest = self.values.as_mut_slice();
        self.parts.iter().map(move |part| {
            let (values, others) = std::mem::take(&mut rest).split_at_mut(part.len());
            rest = others;
            (part, values)
        })
    }

    /// Sets the statistics of batch normalisation to those of the given batches (each as for [`Network::logits`], all
    /// of one size) with the present weights.
    pub(crate) fn recalibrate(&mut self, batches: impl Iterator<Item = Result<Tensor>>) -> Result<()> {
        let mut seen: Vec<Vec<Vec<Moments>>> = Vec::new();
        for pictures in batches {
            let patches = self.patches(&pictures?)?;
            let mut layers = lock(&self.layers);
            layers.forward(&self.frozen, self.input(&patches));
            let layers = layers.statistics();
            seen.resize_with(layers.len(), Vec::new);
            for (seen, layer) in seen.iter_mut().zip(layers) {
                seen.resize_with(layer.len(), Vec::new);
                for (seen, statistics) in seen.iter_mut().zip(layer) {
                    seen.push(Moments::of_batch(&statistics));
                }
            }
        }
        if !seen.is_empty() {
            let merged = |norms: &Vec<Vec<Moments>>| {
                norms.iter().map(|norm| Moments::merge(norm).statistics()).collect()
            };
            self.statistics = seen.iter().map(merged).collect();
        }
        Ok(())
    }

    /// What the stem, a 1x1 convolution then, takes of pictures of the right shape.
    fn patches(&self, pictures: &Tensor) -> Result<Vec<f32>> {
        let Architecture { input: [rows, columns], channels, .. } = self.architecture;
        let (_, height, width, depth) = pictures.dims4()?;
        ensure!(
            (height, width, depth) == (rows, columns, channels),
            "the pictures are {height}x{width}x{depth}, expected {rows}x{columns}x{channels}"
        );
        Ok(patches(&self.stem, channels, &pictures.flatten_all()?.to_vec1::<f32>()?))
    }

    fn input<'a>(&'a self, patches: &'a [f32]) -> Input<'a> {
        let picture = self.stem.out_pixels() * patch_len(self.architecture.channels);
        Input { x: patches, images: patches.len() / picture, packed: &self.values }
    }
}

/// A panic in another thread leaves only values that the next pass writes anew. No parallel job may take it: a thread that
/// holds it works on other jobs while it waits for its own.
fn lock(layers: &Mutex<Chain>) -> MutexGuard<'_, Chain> {
    layers.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
pub(crate) mod tests;
