//! One training step: forward, loss, backward, update.

use std::time::Instant;

use anyhow::{Result, ensure};
use candle_core::Tensor;

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
    /// The trained values as they were before, and their share in the result.
    kept: (Vec<f32>, f32),
    /// Of the loss by all values of the network.
    gradient: Vec<f32>,
    /// Weights, moments and averaged weights of the trained values.
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
    pub(super) fn new(recipe: &Recipe, network: Network, counts: &[usize]) -> Self {
        let decays = network.parts().iter().flat_map(|part| std::iter::repeat_n(part.decays, part.len()));
        let decays = decays.skip(network.frozen_values()).collect();
        let counts = recipe.balance.then_some(counts);
        let classes = recipe.architecture.classes.len();
        let trained = network.trained().to_vec();
        let keep = recipe.init.as_ref().map_or(0.0, |init| init.keep as f32);
        Self {
            kept: (trained.clone(), keep),
            gradient: vec![0.0; network.parameter_count()],
            chosen: trained.clone(),
            optimizer: AdamW::new(trained),
            network,
            decays,
            targets: Targets::new(classes, recipe.smoothing, recipe.order, counts)
                .with_teacher(recipe.teacher.as_ref()),
        }
    }

    /// One step.
    pub(super) fn step(&mut self, batch: &Batch, rates: Rates) -> Result<Done> {
        let targets = &self.targets;
        let loss = |logits: &Tensor| targets.loss(logits, &batch.classes, batch.taught.as_ref());
        let learnt = self.network.learn(&batch.pictures, &batch.dropout, loss, &mut self.gradient)?;
        let loss = f64::from(learnt.loss);
        ensure!(loss.is_finite(), "the loss is {loss}: try a lower learning rate");
        self.optimizer.step(&self.gradient[self.network.frozen_values()..], &self.decays, rates);
        self.network.trained_mut().copy_from_slice(&self.optimizer.values);
        Ok(Done { loss, correct: correct(&learnt.logits, &batch.classes)? })
    }

    /// Takes over the state of a checkpoint.
    pub(super) fn restore(&mut self, optimizer: AdamW, chosen: Vec<f32>) {
        self.network.trained_mut().copy_from_slice(&optimizer.values);
        self.optimizer = optimizer;
        self.chosen = chosen;
    }

    /// Gives `network` the averaged weights.
    pub(super) fn averaged_into(&self, network: &mut Network) {
        self.give(&self.optimizer.averaged, network);
    }

    /// Gives `network` trained values, mixed with what is kept of those before.
    fn give(&self, trained: &[f32], network: &mut Network) {
        let (before, share) = &self.kept;
        let mixed = trained.iter().zip(before).map(|(new, old)| new + share * (old - new));
        network.trained_mut().iter_mut().zip(mixed).for_each(|(value, mixed)| *value = mixed);
    }

    /// Chooses the averaged weights as they are now.
    pub(super) fn choose(&mut self) {
        self.chosen.copy_from_slice(&self.optimizer.averaged);
    }

    /// Gives `network` the chosen weights.
    pub(super) fn chosen_into(&self, network: &mut Network) {
        self.give(&self.chosen, network);
    }

    /// Number of trained values.
    pub(super) fn len(&self) -> usize {
        self.decays.len()
    }
}

fn correct(logits: &Tensor, classes: &[u32]) -> Result<usize> {
    let answers: Vec<u32> = logits.argmax(1)?.to_vec1()?;
    Ok(answers.iter().zip(classes).filter(|(answer, class)| answer == class).count())
}

/// Milliseconds of each of `count` steps on `data`, after a few to warm up: forward, backward, update, and
/// preparing the next batch.
///
/// # Errors
/// As for [`super::fit`].
pub fn measure_steps(recipe: &Recipe, data: &Dataset, count: usize) -> Result<Vec<f64>> {
    const WARM_UP: usize = 5;
    let train: Vec<usize> = (0..data.len()).collect();
    check(recipe, data, train.len())?;
    let batches = Batches { data, train: &train, recipe, teacher: None };
    let schedule = Schedule::new(recipe, batches.steps());
    let mut trainer =
        Trainer::new(recipe, Network::new(recipe.architecture.clone(), recipe.seed), &batches.counts());
    let order = batches.order(0);
    let get = |step: usize| batches.get(&order, 0, step % batches.steps());
    let mut times = Vec::with_capacity(count);
    let mut batch = get(0)?;
    for step in 0..WARM_UP + count {
        let start = Instant::now();
        let (done, next) = rayon::join(|| trainer.step(&batch, schedule.rates(step)), || get(step + 1));
        done?;
        batch = next?;
        if step >= WARM_UP {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(times)
}
