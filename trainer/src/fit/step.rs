//! One training step: forward, loss, backward, update.

use std::time::Instant;

use anyhow::Result;

use super::batch::{Batch, Batches};
use super::check::check;
use super::engine::Engine;
use super::loss::Targets;
use super::recipe::Recipe;
use super::schedule::Schedule;
use crate::device::Device;
use crate::network::Network;
use crate::optimizer::{AdamW, Rates};
use files::Dataset;

/// A network in training.
#[derive(Debug)]
pub(super) struct Trainer {
    engine: Engine,
    /// The trained values as they were before, and their share in the result.
    kept: (Vec<f32>, f32),
    /// Weights, moments and averaged weights of the trained values, as of the last [`Trainer::fetch`].
    pub(super) optimizer: AdamW,
    /// The averaged weights of the best epoch so far.
    pub(super) chosen: Vec<f32>,
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
    /// Before the first step of training `network` on `device`; `counts` are the training pictures of each class.
    pub(super) fn new(recipe: &Recipe, network: Network, counts: &[usize], device: Device) -> Result<Self> {
        let counts = recipe.balance.then_some(counts);
        let classes = recipe.architecture.classes.len();
        let trained = network.trained().to_vec();
        let keep = recipe.init.as_ref().map_or(0.0, |init| init.keep as f32);
        let targets = Targets::new(classes, recipe.smoothing, recipe.order, counts)
            .with_teacher(recipe.teacher.as_ref());
        let images = recipe.batch_size + recipe.outliers();
        Ok(Self {
            engine: Engine::new(device, network, images, &targets)?,
            kept: (trained.clone(), keep),
            chosen: trained.clone(),
            optimizer: AdamW::new(trained),
            targets,
        })
    }

    /// One step.
    pub(super) fn step(&mut self, batch: &Batch, rates: Rates) -> Result<Done> {
        self.engine.step(&mut self.optimizer, &self.targets, batch, rates)
    }

    /// Takes over the state of a checkpoint.
    pub(super) fn restore(&mut self, optimizer: AdamW, chosen: Vec<f32>) -> Result<()> {
        self.engine.restore(&optimizer)?;
        self.optimizer = optimizer;
        self.chosen = chosen;
        Ok(())
    }

    /// Brings `optimizer` to the present state: before its vectors are used.
    pub(super) fn fetch(&mut self) -> Result<()> {
        self.engine.fetch(&mut self.optimizer)
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
        self.optimizer.values.len()
    }
}

/// Milliseconds of each of `count` steps on `data`, after a few to warm up: forward, backward, update, and preparing the
/// next batch, unless all steps are to be on one that is `prepared`.
///
/// # Errors
/// As for [`super::fit`].
pub fn measure_steps(
    recipe: &Recipe,
    data: &Dataset,
    count: usize,
    device: Device,
    prepared: bool,
) -> Result<Vec<f64>> {
    const WARM_UP: usize = 5;
    let train: Vec<usize> = (0..data.len()).collect();
    check(recipe, data, train.len())?;
    let batches = Batches { data, train: &train, recipe, teacher: None };
    let schedule = Schedule::new(recipe, batches.steps());
    let network = Network::new(recipe.architecture.clone(), recipe.seed);
    let mut trainer = Trainer::new(recipe, network, &batches.counts(), device)?;
    let order = batches.order(0);
    let get = |step: usize| batches.get(&order, 0, step % batches.steps());
    let mut times = Vec::with_capacity(count);
    let mut batch = get(0)?;
    for step in 0..WARM_UP + count {
        let start = Instant::now();
        if prepared {
            trainer.step(&batch, schedule.rates(step))?;
        } else {
            let (done, next) = rayon::join(|| trainer.step(&batch, schedule.rates(step)), || get(step + 1));
            done?;
            batch = next?;
        }
        if step >= WARM_UP {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(times)
}
