//! The float network in candle: parameters, forward pass for training and for evaluation.

mod layers;
mod stored;

use std::sync::{Arc, Mutex};

use anyhow::Result;
use candle_core::{Device, Tensor};

use crate::mobilenet::Architecture;
use crate::ops::batch_norm::{Moments, Statistics};
use crate::ops::expansion::Expansion;
use crate::ops::features::{self, Features};
use crate::ops::geometry::Geometry;
use crate::ops::inverted_residual::{BlockShape, BlockState, InvertedResidual};
use crate::ops::patches::{PATCH, patches};
use crate::ops::{Mode, inverted_residual};

pub(crate) use layers::Parameter;

/// MobileNetV2 with its weights. The first operator is the stem together with the first block.
pub struct Network {
    architecture: Architecture,
    stem: Geometry,
    blocks: Vec<(BlockShape, Arc<Mutex<BlockState>>)>,
    last: (usize, usize, Arc<Mutex<Expansion>>),
    parameters: Vec<Parameter>,
    /// Of every operator's batch normalisations, for evaluation: 17 blocks, then the last convolution.
    statistics: Vec<Vec<Statistics>>,
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
        let shapes = layers::block_shapes(&architecture, &stem);
        let statistics = layers::unit_statistics(&shapes, architecture.last_channels());
        let parameters = layers::parameters(&architecture, &shapes, seed)?;
        let k = shapes.last().map_or(0, |shape| shape.output);
        Ok(Self {
            stem,
            last: (k, architecture.last_channels(), Arc::default()),
            blocks: shapes.into_iter().map(|shape| (shape, Arc::default())).collect(),
            architecture,
            parameters,
            statistics,
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
        let features = self.features(pictures, |index| Mode::Evaluate(self.statistics[index].clone()))?;
        self.head(&features, None)
    }

    /// The logits in training: batch statistics, and `dropout` (`[images, HIDDEN]`, 0 or the inverse of the share
    /// kept) multiplied to the hidden layer.
    pub(crate) fn training_logits(&self, pictures: &Tensor, dropout: &Tensor) -> Result<Tensor> {
        let features = self.features(pictures, |_| Mode::Train)?;
        self.head(&features, Some(dropout))
    }

    /// The trained values, one candle variable for each operator.
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
            self.features(&pictures?, |_| Mode::Train)?;
            let operators = self.batch_statistics();
            seen.resize_with(operators.len(), Vec::new);
            for (seen, operator) in seen.iter_mut().zip(operators) {
                seen.resize_with(operator.len(), Vec::new);
                for (seen, statistics) in seen.iter_mut().zip(operator) {
                    seen.push(Moments::of_batch(&statistics));
                }
            }
        }
        if !seen.is_empty() {
            self.statistics = (seen.iter())
                .map(|norms| norms.iter().map(|norm| Moments::merge(norm).statistics()).collect())
                .collect();
        }
        Ok(())
    }

    /// The statistics of the last batch, as [`Network::statistics`] is ordered.
    fn batch_statistics(&self) -> Vec<Vec<Statistics>> {
        let blocks = self.blocks.iter().map(|(_, state)| inverted_residual::statistics(state));
        blocks.chain([vec![features::statistics(&self.last.2)]]).collect()
    }

    /// The pooled features, `[images, last channels]`.
    fn features(&self, pictures: &Tensor, mode: impl Fn(usize) -> Mode) -> Result<Tensor> {
        let side = self.architecture.input_size;
        let (images, height, width, channels) = pictures.dims4()?;
        anyhow::ensure!(
            (height, width, channels) == (side, side, 1),
            "the pictures are {height}x{width}x{channels}, expected {side}x{side}x1"
        );
        let patches = patches(&self.stem, &pictures.flatten_all()?.to_vec1::<f32>()?);
        let shape = (images, self.stem.out_height, self.stem.out_width, PATCH);
        let mut x = Tensor::from_vec(patches, shape, &Device::Cpu)?;
        for (index, (shape, state)) in self.blocks.iter().enumerate() {
            let operator = InvertedResidual::new(*shape, mode(index), state.clone());
            x = x.apply_op2(self.parameters[index].tensor(), operator)?;
        }
        let (k, n, state) = &self.last;
        let index = self.blocks.len();
        let operator = Features::new(*k, *n, mode(index), state.clone());
        Ok(x.apply_op2(self.parameters[index].tensor(), operator)?)
    }

    fn head(&self, features: &Tensor, dropout: Option<&Tensor>) -> Result<Tensor> {
        let [weight1, bias1, weight2, bias2] = layers::head(&self.parameters);
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
