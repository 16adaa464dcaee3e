//! Training: epochs, validation, checkpoints.

mod batch;
mod check;
mod checkpoint;
mod choice;
mod loss;
mod recipe;
mod report;
mod schedule;
mod split;
mod step;

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};

use crate::evaluate::evaluate;
use crate::network::Network;
use batch::Batches;
use check::check;
use checkpoint::Checkpoint;
use files::Dataset;
use schedule::Schedule;
use split::Split;
use step::Trainer;

pub use choice::Wishes;
pub use recipe::Recipe;
pub use report::{Epoch, Finished, Outcome, Progress};
pub use split::{training_counts, validation_split};
pub use step::measure_steps;

/// Trains a network. Checkpoints go to `checkpoint` after every epoch and when `stop` becomes true; with `resume`,
/// training goes on from there and gives the very weights of an uninterrupted run. A run that has ended goes on if the
/// recipe has more epochs: at the rates that a run of so many has from there, which its earlier epochs did not have.
///
/// The checkpoint's folder is made with the first checkpoint.
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
    let split = Split::of(data, recipe.groups);
    check(recipe, data, split.train.len())?;
    let missing = match recipe.groups {
        true => "each class needs pictures in two groups or more; add groups, or leave --groups out",
        false => "no class has two, one to train on and one to validate with; add pictures",
    };
    ensure!(!split.validation.is_empty(), "{} pictures cannot be split: {missing}", data.len());
    let batches = Batches { data, train: &split.train, recipe };
    let steps = batches.steps();
    let schedule = Schedule::new(recipe, steps);
    let mut trainer = Trainer::new(recipe, &batches.counts())?;
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
    let Checkpoint { history, ended, .. } = state;
    Ok(Outcome::Finished(Box::new(Finished { network, history, validation, train_images, ended })))
}

#[cfg(test)]
mod tests;
