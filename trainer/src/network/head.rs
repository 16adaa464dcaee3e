//! The dense layers, by candle's operators and with its gradients.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor, Var};

use super::Network;

/// What training learns of a batch besides the gradient.
#[derive(Debug)]
pub(crate) struct Learnt {
    /// `[images, classes]`.
    pub(crate) logits: Tensor,
    /// One value.
    pub(crate) loss: Tensor,
}

impl Network {
    /// Logits and loss from the pooled features in training, into `gradient` the loss' by the dense layers' values, and as
    /// the second result that by the features.
    pub(super) fn learn_head(
        &self,
        mut features: Vec<f32>,
        dropout: &[f32],
        loss: impl FnOnce(&Tensor) -> Result<Tensor>,
        mut gradient: &mut [f32],
    ) -> Result<(Learnt, Vec<f32>)> {
        let hidden = self.architecture.hidden;
        if hidden.is_none() {
            multiply(&mut features, dropout);
        }
        let dropped =
            hidden.map(|hidden| Tensor::from_slice(dropout, ((), hidden), &Device::Cpu)).transpose()?;
        let features = Var::from_tensor(&self.features(features)?)?;
        let dense: Vec<Var> = self.dense()?.iter().map(Var::from_tensor).collect::<Result<_, _>>()?;
        let tensors: Vec<Tensor> = dense.iter().map(|variable| variable.as_tensor().clone()).collect();
        let logits = self.head(&features, &tensors, dropped.as_ref())?;
        let loss = loss(&logits)?;
        let gradients = loss.backward()?;
        let of = |variable: &Var| -> Result<Vec<f32>> {
            let gradient = gradients.get(variable).context("a parameter has no gradient")?;
            Ok(gradient.flatten_all()?.to_vec1()?)
        };
        for variable in &dense {
            let (part, rest) = gradient.split_at_mut(variable.elem_count());
            part.copy_from_slice(&of(variable)?);
            gradient = rest;
        }
        let mut features = of(&features)?;
        if hidden.is_none() {
            multiply(&mut features, dropout);
        }
        Ok((Learnt { logits, loss }, features))
    }

    /// Pooled features as a tensor, `[images, last channels]`.
    pub(super) fn features(&self, values: Vec<f32>) -> Result<Tensor> {
        let channels = self.architecture.last_channels();
        let images = values.len() / channels;
        Ok(Tensor::from_vec(values, (images, channels), &Device::Cpu)?)
    }

    /// Weight and bias of each dense layer.
    pub(super) fn dense(&self) -> Result<Vec<Tensor>> {
        let mut rest = self.values.as_slice();
        let mut tensors = Vec::new();
        for part in &self.parts {
            let (values, others) = rest.split_at(part.len());
            rest = others;
            if part.name.starts_with("dense") {
                tensors.push(Tensor::from_slice(values, part.shape.as_slice(), &Device::Cpu)?);
            }
        }
        Ok(tensors)
    }

    /// The logits of the pooled features; `dropout` is multiplied to the hidden layer.
    pub(super) fn head(
        &self,
        features: &Tensor,
        dense: &[Tensor],
        dropout: Option<&Tensor>,
    ) -> Result<Tensor> {
        let layer =
            |x: &Tensor, index: usize| x.matmul(&dense[2 * index])?.broadcast_add(&dense[2 * index + 1]);
        if self.architecture.hidden.is_none() {
            return Ok(layer(features, 0)?);
        }
        let hidden = layer(features, 0)?.relu()?;
        let hidden = match dropout {
            Some(dropout) => (hidden * dropout)?,
            None => hidden,
        };
        Ok(layer(&hidden, 1)?)
    }
}

/// Multiplies each value by its factor; candle would take a gradient of the factors, too.
fn multiply(values: &mut [f32], factors: &[f32]) {
    values.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
}
