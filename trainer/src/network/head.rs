//! The dense layers, by candle's operators and with its gradients.

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor, Var};

use super::Network;

/// What training learns of a batch besides the gradient.
#[derive(Debug)]
pub(crate) struct Learnt {
    /// `[images, classes]`.
    pub(crate) logits: Tensor,
    /// Mean over the batch.
    pub(crate) loss: f32,
}

impl Network {
    /// Logits and loss from the pooled features in training; into `gradient` goes the gradient of the loss by the dense
    /// layers' values, and that by the features is the second result.
    pub(super) fn learn_head(
        &self,
        mut features: Vec<f32>,
        dropout: &[f32],
        loss: impl FnOnce(&Tensor) -> Result<Tensor>,
        mut gradient: &mut [f32],
    ) -> Result<(Learnt, Vec<f32>)> {
        let (channels, hidden) = (self.architecture.last_channels(), self.architecture.hidden);
        let images = features.len() / channels;
        let expected = images * self.architecture.dropout_width();
        ensure!(dropout.len() == expected, "dropout of {} values, expected {expected}", dropout.len());
        if hidden.is_none() {
            multiply(&mut features, dropout);
        }
        let of_hidden = hidden.map(|hidden| Tensor::from_slice(dropout, (images, hidden), &Device::Cpu));
        let features = Var::from_vec(features, (images, channels), &Device::Cpu)?;
        let dense = self.dense().collect::<Result<Vec<Var>>>()?;
        let tensors: Vec<Tensor> = dense.iter().map(|dense| dense.as_tensor().clone()).collect();
        let logits = self.head(&features, &tensors, of_hidden.transpose()?.as_ref())?;
        let loss = loss(&logits)?;
        let gradients = loss.backward()?;
        let of = |variable: &Var| -> Result<Vec<f32>> {
            let gradient = gradients.get(variable).context("a parameter has no gradient")?;
            Ok(gradient.flatten_all()?.to_vec1()?)
        };
        for dense in &dense {
            let (part, rest) = gradient.split_at_mut(dense.elem_count());
            part.copy_from_slice(&of(dense)?);
            gradient = rest;
        }
        let mut of_features = of(&features)?;
        if hidden.is_none() {
            multiply(&mut of_features, dropout);
        }
        Ok((Learnt { logits, loss: loss.to_scalar()? }, of_features))
    }

    /// Weight and bias of each dense layer: what follows the convolutional layers' values.
    pub(super) fn dense(&self) -> impl Iterator<Item = Result<Var>> {
        let dense = self.named().skip(self.parts.len() - 2 * self.architecture.dense_layers().len());
        dense.map(|(part, values)| Ok(Var::from_slice(values, part.shape.as_slice(), &Device::Cpu)?))
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
