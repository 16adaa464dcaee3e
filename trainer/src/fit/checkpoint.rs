//! The state of an unfinished training run: a safetensors file of the optimizer's vectors, with the rest as JSON.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::step::{Done, Trainer};
use super::{Epoch, Recipe};
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
}

/// What goes into the file besides the vectors.
#[derive(Serialize, Deserialize)]
struct Stored {
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
        *self = Self { history, ..Self::default() };
        &self.history[self.history.len() - 1]
    }

    /// Writes the state to `path`.
    pub(super) fn save(&self, path: &Path, recipe: &Recipe, dataset: &str, trainer: &Trainer) -> Result<()> {
        let optimizer = &trainer.optimizer;
        let stored = Stored {
            recipe: recipe.clone(),
            dataset_sha256: dataset.to_owned(),
            optimizer_steps: optimizer.steps,
            progress: self.clone(),
        };
        let vectors = [
            ("averaged", &optimizer.averaged),
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
        files::write(path, &to_bytes(&tensors, metadata)?)
    }

    /// Reads the state from `path` and gives the vectors to `trainer`.
    pub(super) fn load(path: &Path, recipe: &Recipe, dataset: &str, trainer: &mut Trainer) -> Result<Self> {
        let bytes = std::fs::read(path)
            .with_context(|| format!("no checkpoint to resume from at {}", path.display()))?;
        let (mut tensors, metadata) = from_bytes(&bytes)?;
        let text =
            metadata.get("checkpoint").with_context(|| format!("{} is no checkpoint", path.display()))?;
        let stored: Stored = serde_json::from_str(text)?;
        ensure!(
            stored.recipe == *recipe,
            "the checkpoint {} was made with other options: {}",
            path.display(),
            serde_json::to_string(&stored.recipe)?
        );
        ensure!(
            stored.dataset_sha256 == dataset,
            "the checkpoint {} was made with other data",
            path.display()
        );
        let mut vector = |name: &str| {
            let values = tensors.remove(name).map(|weights| weights.values).unwrap_or_default();
            ensure!(
                values.len() == trainer.len(),
                "the checkpoint has {} values of {name}, expected {}",
                values.len(),
                trainer.len()
            );
            Ok(values)
        };
        let optimizer = AdamW {
            steps: stored.optimizer_steps,
            values: vector("values")?,
            first: vector("first")?,
            second: vector("second")?,
            averaged: vector("averaged")?,
        };
        trainer.restore(optimizer)?;
        Ok(stored.progress)
    }
}
