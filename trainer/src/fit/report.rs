//! What training tells its caller: while it runs, and when it ends.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::evaluate::Evaluation;
use crate::network::Network;

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
        /// Whether the validation pictures were answered no better than by guessing.
        at_chance: bool,
        /// Epochs since the one with the least validation loss: 0 while it still learns.
        since_best: usize,
        /// Seconds that the epochs to come will take, if they take as long as those before.
        left: f64,
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
    /// Numbers of epochs at which the run had ended before it was continued for more.
    pub ended: Vec<usize>,
}
