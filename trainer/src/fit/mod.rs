//! Training: epochs, validation, checkpoints.

mod batch;
mod checkpoint;
mod schedule;
mod step;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::evaluate::{Evaluation, evaluate};
use crate::network::Network;
use batch::Batches;
use checkpoint::Checkpoint;
use files::Dataset;
use mobilenet::Architecture;
use schedule::Schedule;
use step::Trainer;

pub use batch::validation_split;
pub use step::measure_steps;

/// Everything that decides the result, besides the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// How the network is built.
    pub architecture: Architecture,
    /// Passes over the training pictures.
    pub epochs: usize,
    /// Pictures for one step.
    pub batch_size: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay of weights (not of biases and batch normalisation).
    pub weight_decay: f64,
    /// Decides first weights, order, augmentation and dropout.
    pub seed: u64,
    /// Whether pictures are rotated, zoomed, sheared and shifted at random.
    pub augment: bool,
}

impl Recipe {
    /// The defaults for pictures of `side` x `side`.
    ///
    /// # Errors
    /// As [`Architecture::new`].
    pub fn new(side: usize, classes: Vec<String>) -> Result<Self> {
        Ok(Self {
            architecture: Architecture::new(0.35, side, 1, classes)?,
            epochs: 20,
            batch_size: 128,
            learning_rate: 3e-3,
            weight_decay: 0.02,
            seed: 1,
            augment: true,
        })
    }
}

/// One epoch's results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean training loss.
    pub loss: f64,
    /// Share of right answers in training (augmented pictures, dropout).
    pub accuracy: f64,
    /// Mean validation loss of the averaged weights.
    pub validation_loss: f64,
    /// Share of right answers of the averaged weights on the validation pictures.
    pub validation_accuracy: f64,
    /// Learning rate at the end of the epoch.
    pub learning_rate: f64,
    /// Wall-clock time of the epoch's training, without breaks.
    pub seconds: f64,
}

/// What the caller is told while training runs.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A step is done.
    Step {
        /// The epoch, from 0.
        epoch: usize,
        /// Steps done in it.
        step: usize,
        /// Steps of one epoch.
        steps: usize,
        /// Mean loss of the epoch so far.
        loss: f64,
        /// Share of right answers of the epoch so far.
        accuracy: f64,
    },
    /// An epoch is done.
    Epoch {
        /// The epoch, from 0.
        epoch: usize,
        /// Its results.
        result: &'a Epoch,
    },
}

/// How training ended.
#[derive(Debug)]
pub enum Outcome {
    /// All epochs are done.
    Finished(Box<Finished>),
    /// The caller asked to stop; `--resume` goes on from the checkpoint.
    Interrupted {
        /// Where the checkpoint lies.
        checkpoint: PathBuf,
    },
}

/// A trained network and how it came about.
#[derive(Debug)]
pub struct Finished {
    /// The network: averaged weights, recalibrated statistics.
    pub network: Network,
    /// The epochs.
    pub history: Vec<Epoch>,
    /// The network on the validation pictures.
    pub validation: Evaluation,
    /// Pictures trained on.
    pub train_images: usize,
}

/// Trains a network. Checkpoints go to `checkpoint` after every epoch and when `stop` becomes true; with `resume`,
/// training goes on from there and gives the very weights of an uninterrupted run.
///
/// # Errors
/// If the data does not fit the recipe, a loss is not finite, or a checkpoint cannot be written or used.
pub fn fit(
    recipe: &Recipe,
    data: &Dataset,
    checkpoint: &std::path::Path,
    resume: bool,
    stop: &AtomicBool,
    mut report: impl FnMut(Progress<'_>),
) -> Result<Outcome> {
    let split = batch::split(data.len());
    check(recipe, data, split.train.len())?;
    let batches = Batches { data, train: &split.train, recipe };
    let steps = batches.steps();
    let schedule = Schedule::new(recipe, steps);
    let mut trainer = Trainer::new(recipe)?;
    let mut state = match resume {
        true => Checkpoint::load(checkpoint, recipe, &data.sha256, &mut trainer)?,
        false => Checkpoint::default(),
    };
    let mut network = Network::new(recipe.architecture.clone(), recipe.seed)?;
    let mut validation = None;
    while state.history.len() < recipe.epochs {
        let epoch = state.history.len();
        let mut clock = std::time::Instant::now();
        let order = batches.order(epoch);
        while state.step < steps {
            let batch = batches.get(&order, epoch, state.step)?;
            let done = trainer.step(&batch, schedule.rates(epoch * steps + state.step))?;
            state.add(&done, clock.elapsed().as_secs_f64());
            clock = std::time::Instant::now();
            let (loss, accuracy) = state.means(recipe.batch_size);
            report(Progress::Step { epoch, step: state.step, steps, loss, accuracy });
            if stop.load(Ordering::Relaxed) && state.step < steps {
                state.save(checkpoint, recipe, &data.sha256, &trainer)?;
                return Ok(Outcome::Interrupted { checkpoint: checkpoint.to_owned() });
            }
        }
        trainer.averaged_into(&mut network)?;
        network.recalibrate(batches.calibration())?;
        let evaluation = evaluate(&network, data, &split.validation)?;
        let rate = schedule.rates((epoch + 1) * steps - 1).learning.into();
        let result = state.finish_epoch(recipe.batch_size, rate, &evaluation);
        report(Progress::Epoch { epoch, result });
        validation = Some(evaluation);
        state.save(checkpoint, recipe, &data.sha256, &trainer)?;
        if stop.load(Ordering::Relaxed) && state.history.len() < recipe.epochs {
            return Ok(Outcome::Interrupted { checkpoint: checkpoint.to_owned() });
        }
    }
    let validation = match validation {
        Some(validation) => validation,
        // Resumed after the last epoch: only the network has to be made again.
        None => {
            trainer.averaged_into(&mut network)?;
            network.recalibrate(batches.calibration())?;
            evaluate(&network, data, &split.validation)?
        }
    };
    let train_images = split.train.len();
    Ok(Outcome::Finished(Box::new(Finished { network, history: state.history, validation, train_images })))
}

fn check(recipe: &Recipe, data: &Dataset, train: usize) -> Result<()> {
    let classes = &recipe.architecture.classes;
    ensure!(*classes == data.classes, "the network's classes are {classes:?}, the data's {:?}", data.classes);
    ensure!(
        data.side == recipe.architecture.input_size,
        "the pictures are framed to {} pixels, the network takes {}",
        data.side,
        recipe.architecture.input_size
    );
    ensure!(recipe.epochs > 0, "0 epochs, expected at least 1");
    ensure!(recipe.batch_size >= 2, "a batch of {}: batch normalisation needs at least 2", recipe.batch_size);
    ensure!(
        recipe.learning_rate > 0.0 && recipe.learning_rate < 1.0,
        "the learning rate is {}, expected above 0 and below 1",
        recipe.learning_rate
    );
    ensure!(
        train >= recipe.batch_size,
        "{train} training pictures are not enough for one batch of {}",
        recipe.batch_size
    );
    Ok(())
}

#[cfg(test)]
mod tests;
