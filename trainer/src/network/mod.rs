//! The float network in candle: parameters, forward pass for training and for evaluation.

mod layers;
mod stored;
mod transfer;

use std::sync::{Arc, Mutex};

use anyhow::Result;
use candle_core::{Device, Tensor};

use crate::ops::Fixed;
use crate::ops::batch_norm::{Moments, Statistics};
use crate::ops::chain::{Chain, ChainState, lock};
use crate::ops::geometry::Geometry;
use crate::ops::patches::{patch_len, patches};
use layers::Parameter;
use mobilenet::Architecture;

/// MobileNetV2 with its weights. Its layers are 17 blocks, the first together with the stem, and the last convolution.
pub struct Network {
    architecture: Architecture,
    stem: Geometry,
    layers: Arc<Mutex<ChainState>>,
    /// Those of the layers, then weight and bias of each dense layer.
    parameters: Vec<Parameter>,
    /// Of every layer's batch normalisations, for evaluation.
    statistics: Arc<Vec<Vec<Statistics>>>,
    /// Of the leading layers that are not trained.
    frozen: Fixed,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Network").field("architecture", &self.architecture).finish_non_exhaustive()
    }
}

impl Network {
    /// A network with random weights, the same for the same seed.
    ///
    /// # Errors
    /// Only if candle cannot create the tensors.
    pub fn new(architecture: Architecture, seed: u64) -> Result<Self> {
        let [rows, columns] = architecture.input;
        let stem = Geometry::new(rows, columns, architecture.stem_stride);
        let layers = layers::layers(&architecture, &stem);
        Ok(Self {
            stem,
            parameters: layers::parameters(&architecture, &layers, seed)?,
            statistics: Arc::new(layers::unit_statistics(&layers)),
            layers: Arc::new(Mutex::new(ChainState::new(&layers))),
            frozen: Fixed::default(),
            architecture,
        })
    }

    /// How the network is built.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Number of values that training finds.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(Parameter::len).sum()
    }

    /// The logits `[images, classes]` of pictures `[images, rows, columns, channels]` (f32, as the
    /// pre-processing makes them), for evaluation: batch normalisation with stored statistics, no dropout.
    ///
    /// # Errors
    /// For a tensor of another shape or type.
    pub fn logits(&self, pictures: &Tensor) -> Result<Tensor> {
        let features = self.features(pictures, Fixed(self.statistics.clone()))?;
        self.head(&features, None)
    }

    /// The logits in training: batch statistics, and `dropout` (`[images, dropout width]`, 0 or the inverse of the share
    /// kept) multiplied to the hidden layer, or to the pooled features if there is none.
    pub(crate) fn training_logits(&self, pictures: &Tensor, dropout: &Tensor) -> Result<Tensor> {
        let features = self.features(pictures, self.frozen.clone())?;
        self.head(&features, Some(dropout))
    }

    /// Mixes its statistics with those of another network of the same sizes, of which so much is taken.
    pub(crate) fn mix_statistics(&mut self, other: &Self, share: f32) {
        let mut statistics = self.statistics.to_vec();
        for (own, other) in statistics.iter_mut().flatten().zip(other.statistics.iter().flatten()) {
            let own = own.mean.iter_mut().chain(&mut own.variance);
            let other = other.mean.iter().chain(&other.variance);
            own.zip(other).for_each(|(own, other)| *own += share * (other - *own));
        }
        self.statistics = Arc::new(statistics);
    }

    /// Keeps the leading layers as they are, with their statistics: 0 to all of them, where only the dense layers learn.
    pub(crate) fn freeze(&mut self, layers: usize) {
        self.frozen = Fixed(Arc::new(self.statistics[..layers].to_vec()));
    }

    /// Number of values that are not trained; they are the first.
    pub(crate) fn frozen_values(&self) -> usize {
        lock(&self.layers).parameters(self.frozen.layers())
    }

    /// The parameters.
    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// All values one after the other.
    pub(crate) fn values(&self) -> Result<Vec<f32>> {
        let mut values = Vec::with_capacity(self.parameter_count());
        for parameter in &self.parameters {
            values.extend(parameter.values()?);
        }
        Ok(values)
    }

    /// Replaces all values.
    pub(crate) fn set_values(&mut self, mut values: &[f32]) -> Result<()> {
        for parameter in &self.parameters {
            let (part, rest) = values.split_at(parameter.len());
            parameter.set(part)?;
            values = rest;
        }
        Ok(())
    }

    /// Sets the statistics of batch normalisation to those of the given batches (each as for [`Network::logits`], all
    /// of one size) with the present weights.
    pub(crate) fn recalibrate(&mut self, batches: impl Iterator<Item = Result<Tensor>>) -> Result<()> {
        let mut seen: Vec<Vec<Vec<Moments>>> = Vec::new();
        for pictures in batches {
            self.features(&pictures?, self.frozen.clone())?;
            let layers = lock(&self.layers).statistics();
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
            self.statistics = Arc::new(seen.iter().map(merged).collect());
        }
        Ok(())
    }

    /// The pooled features, `[images, last channels]`.
    fn features(&self, pictures: &Tensor, fixed: Fixed) -> Result<Tensor> {
        let Architecture { input: [rows, columns], channels, .. } = self.architecture;
        let (_, height, width, depth) = pictures.dims4()?;
        anyhow::ensure!(
            (height, width, depth) == (rows, columns, channels),
            "the pictures are {height}x{width}x{depth}, expected {rows}x{columns}x{channels}"
        );
        let patches = self.patches(pictures)?;
        Ok(patches.apply_op2(self.parameters[0].tensor(), Chain::new(fixed, self.layers.clone()))?)
    }

    /// What the stem, a 1x1 convolution then, takes of pictures of the right shape.
    fn patches(&self, pictures: &Tensor) -> Result<Tensor> {
        let Architecture { channels, .. } = self.architecture;
        let patches = patches(&self.stem, channels, &pictures.flatten_all()?.to_vec1::<f32>()?);
        let shape = (pictures.dim(0)?, self.stem.out_height, self.stem.out_width, patch_len(channels));
        Ok(Tensor::from_vec(patches, shape, &Device::Cpu)?)
    }

    /// The logits of the pooled features.
    fn head(&self, features: &Tensor, dropout: Option<&Tensor>) -> Result<Tensor> {
        let dense = |x: &Tensor, layer: usize| {
            let [weight, bias] = [1, 2].map(|part| self.parameters[2 * layer + part].tensor());
            x.matmul(weight)?.broadcast_add(bias)
        };
        let drop = |x: Tensor| match dropout {
            Some(dropout) => x * dropout,
            None => Ok(x),
        };
        Ok(match self.architecture.hidden {
            Some(_) => dense(&drop(dense(features, 0)?.relu()?)?, 1)?,
            None => dense(&drop(features.clone())?, 0)?,
        })
    }
}

#[cfg(test)]
mod tests;
