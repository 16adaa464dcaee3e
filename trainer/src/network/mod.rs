//! The float network in candle: parameters, forward pass for training and for evaluation.

mod layers;
mod stored;

use std::sync::{Arc, Mutex};

use anyhow::Result;
use candle_core::{Device, Tensor};

use crate::ops::Mode;
use crate::ops::batch_norm::{Moments, Statistics};
use crate::ops::chain::{Chain, ChainState, lock};
use crate::ops::geometry::Geometry;
use crate::ops::patches::{PATCH, patches};
use mobilenet::Architecture;

pub(crate) use layers::Parameter;

/// MobileNetV2 with its weights. Its layers are 17 blocks, the first together with the stem, and the last convolution.
pub struct Network {
    architecture: Architecture,
    stem: Geometry,
    layers: Arc<Mutex<ChainState>>,
    /// Those of the layers, then weight and bias of the two dense layers.
    parameters: Vec<Parameter>,
    /// Of every layer's batch normalisations, for evaluation.
    statistics: Arc<Vec<Vec<Statistics>>>,
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
        let stem = Geometry::new(architecture.input_size, architecture.input_size, architecture.stem_stride);
        let layers = layers::layers(&architecture, &stem);
        Ok(Self {
            stem,
            parameters: layers::parameters(&architecture, &layers, seed)?,
            statistics: Arc::new(layers::unit_statistics(&layers)),
            layers: Arc::new(Mutex::new(ChainState::new(&layers))),
            architecture,
        })
    }

    /// How the network is built.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Number of trained values.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(Parameter::len).sum()
    }

    /// The logits `[images, classes]` of pictures `[images, side, side, 1]` (f32, byte / 255), for evaluation: batch
    /// normalisation with stored statistics, no dropout.
    ///
    /// # Errors
    /// For a tensor of another shape or type.
    pub fn logits(&self, pictures: &Tensor) -> Result<Tensor> {
        let features = self.features(pictures, Mode::Evaluate(self.statistics.clone()))?;
        self.head(&features, None)
    }

    /// The logits in training: batch statistics, and `dropout` (`[images, HIDDEN]`, 0 or the inverse of the share
    /// kept) multiplied to the hidden layer.
    pub(crate) fn training_logits(&self, pictures: &Tensor, dropout: &Tensor) -> Result<Tensor> {
        let features = self.features(pictures, Mode::Train)?;
        self.head(&features, Some(dropout))
    }

    /// The trained values.
    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// All trained values one after the other.
    pub(crate) fn values(&self) -> Result<Vec<f32>> {
        let mut values = Vec::with_capacity(self.parameter_count());
        for parameter in &self.parameters {
            values.extend(parameter.values()?);
        }
        Ok(values)
    }

    /// Replaces all trained values.
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
            self.features(&pictures?, Mode::Train)?;
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
    fn features(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        let side = self.architecture.input_size;
        let (images, height, width, channels) = pictures.dims4()?;
        anyhow::ensure!(
            (height, width, channels) == (side, side, 1),
            "the pictures are {height}x{width}x{channels}, expected {side}x{side}x1"
        );
        let patches = patches(&self.stem, &pictures.flatten_all()?.to_vec1::<f32>()?);
        let shape = (images, self.stem.out_height, self.stem.out_width, PATCH);
        let patches = Tensor::from_vec(patches, shape, &Device::Cpu)?;
        Ok(patches.apply_op2(self.parameters[0].tensor(), Chain::new(mode, self.layers.clone()))?)
    }

    fn head(&self, features: &Tensor, dropout: Option<&Tensor>) -> Result<Tensor> {
        let [weight1, bias1, weight2, bias2] =
            std::array::from_fn(|index| self.parameters[index + 1].tensor());
        let hidden = features.matmul(weight1)?.broadcast_add(bias1)?.relu()?;
        let hidden = match dropout {
            Some(dropout) => (hidden * dropout)?,
            None => hidden,
        };
        Ok(hidden.matmul(weight2)?.broadcast_add(bias2)?)
    }
}

#[cfg(test)]
mod tests;
