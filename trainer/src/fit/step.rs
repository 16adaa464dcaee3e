//! One training step: forward, loss, backward, update.

use std::borrow::Cow;
use std::time::Instant;

use anyhow::{Result, ensure};
use candle_core::{DType, Tensor};

use super::batch::{Batch, Batches};
use super::check::check;
use super::loss::Targets;
use super::recipe::Recipe;
use super::schedule::Schedule;
use crate::network::Network;
use crate::optimizer::{AdamW, Rates};
use files::Dataset;

/// A network in training.
#[derive(Debug)]
pub(super) struct Trainer {
    network: Network,
    /// The leading values, which are not trained.
    frozen: Vec<f32>,
    /// The other values as they were before, and their share in the result.
    kept: (Vec<f32>, f32),
    /// Weights, moments and averaged weights of the others.
    pub(super) optimizer: AdamW,
    /// The averaged weights of the best epoch so far.
    pub(super) chosen: Vec<f32>,
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
    /// Before the first step of training `network`; `counts` are the training pictures of each class.
    pub(super) fn new(recipe: &Recipe, network: Network, counts: &[usize]) -> Result<Self> {
        let parts = network.parameters().iter().flat_map(|parameter| &parameter.parts);
        let decays = parts.flat_map(|part| std::iter::repeat_n(part.decays, part.len()));
        let decays = decays.skip(network.frozen_values()).collect();
        let counts = recipe.balance.then_some(counts);
        let classes = recipe.architecture.classes.len();
        let targets = Targets::new(classes, recipe.smoothing, recipe.order, counts);
        let mut frozen = network.values()?;
        let trained = frozen.split_off(network.frozen_values());
        let keep = recipe.init.as_ref().map_or(0.0, |init| init.keep as f32);
        let kept = (trained.clone(), keep);
        Ok(Self {
            chosen: trained.clone(),
            optimizer: AdamW::new(trained),
            frozen,
            kept,
            network,
            decays,
            targets,
        })
    }

    /// One step.
    pub(super) fn step(&mut self, batch: &Batch, rates: Rates) -> Result<Done> {
        let logits = self.network.training_logits(&batch.pictures, &batch.dropout)?;
        let loss = self.targets.loss(&logits, &batch.labels)?;
        let gradients = loss.backward()?;
        let mut flat = Vec::with_capacity(self.frozen.len() + self.decays.len());
        for parameter in self.network.parameters() {
            match gradients.get(parameter.tensor()) {
                Some(gradient) => flat.extend(gradient.flatten_all()?.to_vec1::<f32>()?),
                None => {
                    ensure!(flat.len() + parameter.len() <= self.frozen.len(), "a parameter has no gradient");
                    flat.resize(flat.len() + parameter.len(), 0.0);
                }
            }
        }
        let loss = f64::from(loss.to_scalar::<f32>()?);
        ensure!(loss.is_finite(), "the loss is {loss}: try a lower learning rate");
        self.optimizer.step(&flat[self.frozen.len()..], &self.decays, rates);
        self.network.set_values(&with_frozen(&self.frozen, &self.optimizer.values))?;
        Ok(Done { loss, correct: correct(&logits, &batch.labels)? })
    }

    /// Takes over the state of a checkpoint.
    pub(super) fn restore(&mut self, optimizer: AdamW, chosen: Vec<f32>) -> Result<()> {
        self.network.set_values(&with_frozen(&self.frozen, &optimizer.values))?;
        self.optimizer = optimizer;
        self.chosen = chosen;
        Ok(())
    }

    /// Gives `network` the averaged weights.
    pub(super) fn averaged_into(&self, network: &mut Network) -> Result<()> {
        self.give(&self.optimizer.averaged, network)
    }

    /// Gives `network` trained values, mixed with what is kept of those before.
    fn give(&self, trained: &[f32], network: &mut Network) -> Result<()> {
        let (before, share) = &self.kept;
        let mixed = trained.iter().zip(before).map(|(new, old)| new + share * (old - new));
        network.set_values(&self.frozen.iter().copied().chain(mixed).collect::<Vec<f32>>())
    }

    /// Chooses the averaged weights as they are now.
    pub(super) fn choose(&mut self) {
        self.chosen.copy_from_slice(&self.optimizer.averaged);
    }

    /// Gives `network` the chosen weights.
    pub(super) fn chosen_into(&self, network: &mut Network) -> Result<()> {
        self.give(&self.chosen, network)
    }

    /// Number of trained values.
    pub(super) fn len(&self) -> usize {
        self.decays.len()
    }
}

/// All values of a network; where none is frozen, they need not be copied.
fn with_frozen<'a>(frozen: &[f32], trained: &'a [f32]) -> Cow<'a, [f32]> {
    if frozen.is_empty() { trained.into() } else { [frozen, trained].concat().into() }
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
    let mut trainer =
        Trainer::new(recipe, Network::new(recipe.architecture.clone(), recipe.seed)?, &batches.counts())?;
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
