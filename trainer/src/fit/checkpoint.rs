//! The state of an unfinished training run: a safetensors file of the optimizer's vectors, with the rest as JSON.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::recipe::Recipe;
use super::report::Epoch;
use super::step::{Done, Trainer};
use crate::evaluate::Evaluation;
use crate::optimizer::AdamW;
use mobilenet::{Weights, from_bytes, to_bytes};

/// How far training has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The epochs done.
    pub(super) history: Vec<Epoch>,
    /// Steps done in the present epoch.
    pub(super) step: usize,
    loss: f64,
    correct: usize,
    seconds: f64,
    /// Numbers of epochs at which the run had ended before it was continued for more.
    pub(super) ended: Vec<usize>,
}

/// Which arithmetic a step follows: raised when the same step gives other bits.
const VERSION: u32 = 3;

/// What goes into the file besides the vectors.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// Of the arithmetic.
    version: u32,
    recipe: Recipe,
    dataset_sha256: String,
    optimizer_steps: u64,
    progress: Checkpoint,
}

impl Checkpoint {
    /// Counts a step.
    pub(super) fn add(&mut self, done: &Done, seconds: f64) {
        self.step += 1;
        self.loss += done.loss;
        self.correct += done.correct;
        self.seconds += seconds;
    }

    /// Mean loss and share of right answers of the present epoch.
    pub(super) fn means(&self, batch_size: usize) -> (f64, f64) {
        let steps = self.step.max(1) as f64;
        (self.loss / steps, self.correct as f64 / (steps * batch_size as f64))
    }

    /// Closes the present epoch.
    pub(super) fn finish_epoch(
        &mut self,
        batch_size: usize,
        learning_rate: f64,
        evaluation: &Evaluation,
    ) -> &Epoch {
        let (loss, accuracy) = self.means(batch_size);
        let mut history = std::mem::take(&mut self.history);
        history.push(Epoch {
            loss,
            accuracy,
            validation_loss: evaluation.loss,
            validation_accuracy: evaluation.accuracy(),
            learning_rate,
            seconds: self.seconds,
        });
        *self = Self { history, ended: std::mem::take(&mut self.ended), ..Self::default() };
        &self.history[self.history.len() - 1]
    }

    /// Epochs since the one with the least validation loss, the first of equals.
    pub(super) fn epochs_since_best(&self) -> usize {
        let losses = self.history.iter().map(|epoch| epoch.validation_loss);
        let best = losses.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map_or(0, |(best, _)| self.history.len() - 1 - best)
    }

    /// Seconds for what is missing of so many epochs, at the mean of those done.
    pub(super) fn seconds_left(&self, epochs: usize) -> f64 {
        let done = self.history.len();
        let seconds: f64 = self.history.iter().map(|epoch| epoch.seconds).sum();
        seconds / done.max(1) as f64 * epochs.saturating_sub(done) as f64
    }

    /// Whether so many epochs were no better than one before them.
    pub(super) fn is_over(&self, patience: Option<usize>) -> bool {
        patience.is_some_and(|patience| self.epochs_since_best() >= patience)
    }

    /// Writes the state to `path`, and makes its folder if there is none.
    pub(super) fn save(&self, path: &Path, recipe: &Recipe, dataset: &str, trainer: &Trainer) -> Result<()> {
        let optimizer = &trainer.optimizer;
        let stored = Stored {
            version: VERSION,
            recipe: recipe.clone(),
            dataset_sha256: dataset.to_owned(),
            optimizer_steps: optimizer.steps,
            progress: self.clone(),
        };
        let vectors = [
            ("averaged", &optimizer.averaged),
            ("chosen", &trainer.chosen),
            ("first", &optimizer.first),
            ("second", &optimizer.second),
            ("values", &optimizer.values),
        ];
        let tensors: BTreeMap<String, Weights> = (vectors.into_iter())
            .map(|(name, values)| {
                (name.to_owned(), Weights { shape: vec![values.len()], values: values.clone() })
            })
            .collect();
        let metadata = HashMap::from([("checkpoint".to_owned(), serde_json::to_string(&stored)?)]);
        let folder = path.parent().unwrap_or(Path::new(""));
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        files::write(path, &to_bytes(&tensors, metadata)?)
    }

    /// Reads the state from `path` and gives the vectors to `trainer`.
    pub(super) fn load(path: &Path, recipe: &Recipe, dataset: &str, trainer: &mut Trainer) -> Result<Self> {
        let bytes = std::fs::read(path)
            .with_context(|| format!("no checkpoint to resume from at {}", path.display()))?;
        let broken = || {
            let (name, length) = (path.display(), bytes.len());
            format!(
                "{name} ({length} bytes) is no whole checkpoint: start anew with --overwrite or another --out"
            )
        };
        let (stored, mut tensors) = parse(&bytes).with_context(broken)?;
        let stored: Stored = serde_json::from_value(stored).with_context(|| {
            let name = path.display();
            format!(
                "{name} was made by another version of trainer: start anew with --overwrite or another --out"
            )
        })?;
        stored.check(recipe, dataset).with_context(|| format!("cannot resume from {}", path.display()))?;
        let (optimizer, chosen) = restored(&stored, &mut tensors, trainer.len()).with_context(broken)?;
        trainer.restore(optimizer, chosen)?;
        Ok(stored.continued(recipe.epochs))
    }
}

/// The vectors of a checkpoint by name.
type Vectors = BTreeMap<String, Weights>;

fn parse(bytes: &[u8]) -> Result<(serde_json::Value, Vectors)> {
    let (vectors, metadata) = from_bytes(bytes)?;
    let text = metadata.get("checkpoint").context("its metadata has no \"checkpoint\"")?;
    Ok((serde_json::from_str(text)?, vectors))
}

/// The optimizer's state and the chosen weights, from vectors of `length` values.
fn restored(stored: &Stored, vectors: &mut Vectors, length: usize) -> Result<(AdamW, Vec<f32>)> {
    let mut vector = |name: &str| {
        let values = vectors.remove(name).map(|weights| weights.values).unwrap_or_default();
        ensure!(values.len() == length, "it has {} values of {name}, expected {length}", values.len());
        Ok(values)
    };
    let optimizer = AdamW {
        steps: stored.optimizer_steps,
        values: vector("values")?,
        first: vector("first")?,
        second: vector("second")?,
        averaged: vector("averaged")?,
    };
    Ok((optimizer, vector("chosen")?))
}

impl Stored {
    /// Whether a run by `recipe` on the data of that SHA-256 can go on from here.
    fn check(&self, recipe: &Recipe, dataset: &str) -> Result<()> {
        ensure!(
            self.version == VERSION,
            "it was made by another version of trainer, whose steps are not the same: start anew with --overwrite"
        );
        ensure!(
            self.dataset_sha256 == dataset && self.recipe.architecture.classes == recipe.architecture.classes,
            "it was made with other pictures: pass the --data it was made with, or start anew with --overwrite or \
             another --out"
        );
        let has_ended = self.progress.history.len() == self.recipe.epochs;
        let epochs = if has_ended { recipe.epochs.max(self.recipe.epochs) } else { self.recipe.epochs };
        let expected = Recipe { epochs, ..self.recipe.clone() };
        let (stored, given) = expected.differences(recipe);
        ensure!(
            stored.is_empty(),
            "it was made with {}, but given is {}: pass the options it was made with (more --epochs after its end), \
             or start anew with --overwrite or another --out",
            stored.join(" "),
            given.join(" ")
        );
        ensure!(
            expected == *recipe,
            "it was made by another version of trainer, or from another --init or --teacher file of that name: start anew with --overwrite"
        );
        Ok(())
    }

    /// The progress of a run of so many epochs.
    fn continued(self, epochs: usize) -> Checkpoint {
        let mut progress = self.progress;
        if epochs > self.recipe.epochs {
            progress.ended.push(self.recipe.epochs);
        }
        progress
    }
}
