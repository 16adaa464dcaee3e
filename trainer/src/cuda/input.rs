//! What the host hands the GPU for a step.

use anyhow::{Result, ensure};

use super::gpu::{Gpu, Pointer};
use crate::optimizer::Rates;

/// A batch, and how much is learnt of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    /// `[images, rows, columns, channels]`.
    pub(crate) pictures: &'a [f32],
    /// `[images, dropout width]`.
    pub(crate) dropout: &'a [f32],
    /// `[images, classes]`: the probabilities that the logits are to have, times what the image counts.
    pub(crate) targets: &'a [f32],
    /// The same for the logits by the temperature; empty without a teacher.
    pub(crate) soft: &'a [f32],
    /// The optimizer's.
    pub(crate) rates: Rates,
}

/// Values of each part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sizes {
    pub(super) pictures: usize,
    pub(super) dropout: usize,
    pub(super) targets: usize,
    pub(super) soft: usize,
}

/// Where the parts lie on the GPU.
#[derive(Debug)]
pub(super) struct Input {
    sizes: Sizes,
    /// All parts but the pictures, which lie one after the other.
    host: Vec<f32>,
    /// Learning rate, decay, averaging; the beginning of all.
    pub(super) rates: Pointer,
    pub(super) targets: Pointer,
    /// Null without a teacher.
    pub(super) soft: Pointer,
    pub(super) temperature: f32,
    pub(super) dropout: Pointer,
    pub(super) pictures: Pointer,
}

/// Rates, with what keeps the next part aligned.
const RATES: usize = 4;

impl Input {
    /// Room for parts of these sizes. Without a teacher the temperature does not matter.
    pub(super) fn new(gpu: &mut Gpu, sizes: Sizes, temperature: f32) -> Result<Self> {
        let Sizes { pictures, dropout, targets, soft } = sizes;
        let rates = gpu.floats(RATES + targets + soft + dropout + pictures)?;
        let at_targets = rates.add(RATES, 4);
        let at_soft = at_targets.add(targets, 4);
        let at_dropout = at_soft.add(soft, 4);
        Ok(Self {
            sizes,
            host: Vec::new(),
            rates,
            targets: at_targets,
            soft: if soft == 0 { Pointer::NULL } else { at_soft },
            temperature,
            dropout: at_dropout,
            pictures: at_dropout.add(dropout, 4),
        })
    }

    /// Copies a step's input to the GPU.
    pub(super) fn upload(&mut self, gpu: &Gpu, step: &Step<'_>) -> Result<()> {
        let Step { pictures, dropout, targets, soft, rates } = step;
        let [pictures_len, dropout_len, targets_len, soft_len] =
            [pictures, dropout, targets, soft].map(|part| part.len());
        let found =
            Sizes { pictures: pictures_len, dropout: dropout_len, targets: targets_len, soft: soft_len };
        ensure!(found == self.sizes, "a batch of {found:?}, expected {:?}", self.sizes);
        self.host.clear();
        self.host.extend([rates.learning, rates.decay, rates.averaging, 0.0]);
        [targets, soft, dropout].into_iter().for_each(|part| self.host.extend_from_slice(part));
        gpu.upload(&self.host, self.rates)?;
        gpu.upload(pictures, self.pictures)
    }
}
