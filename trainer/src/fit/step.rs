//! One training step: forward, loss, backward, update.

use std::time::Instant;

use anyhow::{Result, ensure};
use candle_core::{DType, Tensor};

use super::batch::{Batch, Batches};
use super::check::check;
use super::loss::Targets;
use super::recipe::Recipe;
use super::schedule::Schedule;
use crate::network::{Network, Parameter};
use crate::optimizer::{AdamW, Rates};
use files::Dataset;

/// A network in training.
#[derive(Debug)]
pub(super) struct Trainer {
    network: Network,
    /// Weights, moments and averaged weights.
    pub(super) optimizer: AdamW,
    decays: Vec<bool>,
    targets: Targets,
}

/// What a step gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    /// Mean loss of the batch.
    pub(super) loss: f64,
    /// Right answers.
    pub(super) correct: usize,
}

impl Trainer {
    /// Before the first step; `counts` are the training pictures of each class.
    pub(super) fn new(recipe: &Recipe, counts: &[usize]) -> Result<Self> {
        let network = Network::new(recipe.architecture.clone(), recipe.seed)?;
        let parts = network.parameters().iter().flat_map(|parameter| &parameter.parts);
        let decays = parts.flat_map(|part| std::iter::repeat_n(part.decays, part.len())).collect();
        let counts = recipe.balance.then_some(counts);
        let classes = recipe.architecture.classes.len();
        let targets = Targets::new(classes, recipe.smoothing, recipe.order, counts);
        Ok(Self { optimizer: AdamW::new(network.values()?), network, decays, targets })
    }

    /// One step.
    pub(super) fn step(&mut self, batch: &Batch, rates: Rates) -> Result<Done> {
        let logits = self.network.training_logits(&batch.pictures, &batch.dropout)?;
        let loss = self.targets.loss(&logits, &batch.labels)?;
        let gradients = loss.backward()?;
        let mut flat = Vec::with_capacity(self.decays.len());
        for parameter in self.network.parameters() {
            let gradient = gradients.get(parameter.tensor());
            let gradient = gradient.ok_or_else(|| anyhow::anyhow!("a parameter has no gradient"))?;
            flat.extend(gradient.flatten_all()?.to_vec1::<f32>()?);
        }
        let loss = f64::from(loss.to_scalar::<f32>()?);
        ensure!(loss.is_finite(), "the loss is {loss}: try a lower learning rate");
        self.optimizer.step(&flat, &self.decays, rates);
        self.network.set_values(&self.optimizer.values)?;
        Ok(Done { loss, correct: correct(&logits, &batch.labels)? })
    }

    /// Takes over the state of a checkpoint.
    pub(super) fn restore(&mut self, optimizer: AdamW) -> Result<()> {
        self.network.set_values(&optimizer.values)?;
        self.optimizer = optimizer;
        Ok(())
    }

    /// Gives `network` the averaged weights.
    pub(super) fn averaged_into(&self, network: &mut Network) -> Result<()> {
        network.set_values(&self.optimizer.averaged)
    }

    /// Number of trained values.
    pub(super) fn len(&self) -> usize {
        self.network.parameters().iter().map(Parameter::len).sum()
    }
}

fn correct(logits: &Tensor, labels: &Tensor) -> Result<usize> {
    let right = logits.argmax(1)?.eq(labels)?.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()?;
    Ok(right as usize)
}

/// Milliseconds of each of `count` steps on `data`, after a few to warm up: preparing the batch, forward, backward and
/// update.
///
/// # Errors
/// As for [`super::fit`].
pub fn measure_steps(recipe: &Recipe, data: &Dataset, count: usize) -> Result<Vec<f64>> {
    const WARM_UP: usize = 5;
    let train: Vec<usize> = (0..data.len()).collect();
    check(recipe, data, train.len())?;
    let batches = Batches { data, train: &train, recipe };
    let schedule = Schedule::new(recipe, batches.steps());
    let mut trainer = Trainer::new(recipe, &batches.counts())?;
    let order = batches.order(0);
    let mut times = Vec::with_capacity(count);
    for step in 0..WARM_UP + count {
        let start = Instant::now();
        let batch = batches.get(&order, 0, step % batches.steps())?;
        trainer.step(&batch, schedule.rates(step))?;
        if step >= WARM_UP {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(times)
}
