//! Training: epochs, validation, checkpoints.

mod batch;
mod check;
mod checkpoint;
mod choice;
mod engine;
mod init;
mod loss;
mod recipe;
mod report;
mod schedule;
mod split;
mod step;
mod teacher;

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};

use crate::device::Device;
use crate::evaluate::evaluate;
use crate::network::Network;
use batch::Batches;
use check::check;
use checkpoint::Checkpoint;
use files::Dataset;
use mobilenet::ModelFile;
use schedule::Schedule;
use split::Split;
use step::Trainer;

pub use choice::Wishes;
pub use init::Init;
pub use recipe::Recipe;
pub use report::{Epoch, Finished, Outcome, Progress};
pub use split::{training_counts, validation_split};
pub use step::measure_steps;
pub use teacher::Teacher;

/// What a run needs besides recipe and pictures: the files that the recipe names, and what computes its steps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Others<'a> {
    /// The network to begin with.
    pub init: Option<&'a ModelFile>,
    /// The one that teaches.
    pub teacher: Option<&'a ModelFile>,
    /// What computes the steps; a run may go on on another one.
    pub device: Device,
}

/// Trains a network, with the other networks that the recipe names. Checkpoints go to `checkpoint` after every epoch and when `stop`
/// becomes true; with `resume`, training goes on from there and gives the very weights of an uninterrupted run. A run that
/// has ended goes on if the recipe has more epochs: at the rates that a run of so many has from there, which its earlier
/// epochs did not have. With patience the network is that of the epoch with the least validation loss.
///
/// The checkpoint's folder is made with the first checkpoint.
///
/// # Errors
/// If the data does not fit the recipe, a loss is not finite, or a checkpoint cannot be written or used.
pub fn fit(
    recipe: &Recipe,
    Others { init, teacher, device }: Others<'_>,
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
    let teacher = recipe.teacher(teacher)?;
    let batches = Batches { data, train: &split.train, recipe, teacher: teacher.as_ref() };
    let steps = batches.steps();
    let schedule = Schedule::new(recipe, steps);
    let mut network = recipe.network(init)?;
    let before = init.map(|_| recipe.network(init)).transpose()?;
    let mut trainer = Trainer::new(recipe, recipe.network(init)?, &batches.counts(), device)?;
    let mut state = match resume {
        true => Checkpoint::load(checkpoint, recipe, &data.sha256, &mut trainer)?,
        false => Checkpoint::default(),
    };
    let mut validation = None;
    while state.history.len() < recipe.epochs && !state.is_over(recipe.patience) {
        let epoch = state.history.len();
        let mut clock = std::time::Instant::now();
        let order = batches.order(epoch);
        let get = |step: usize| (step < steps).then(|| batches.get(&order, epoch, step)).transpose();
        let mut batch = get(state.step)?;
        while let Some(present) = &batch {
            let rates = schedule.rates(epoch * steps + state.step);
            // A step does not keep all threads at work all the time: what it leaves prepares the next batch.
            let (done, next) = rayon::join(|| trainer.step(present, rates), || get(state.step + 1));
            state.add(&done?, clock.elapsed().as_secs_f64());
            batch = next?;
            clock = std::time::Instant::now();
            let (loss, accuracy) = state.means(recipe.batch_size);
            report(Progress::Step { epoch, step: state.step, steps, loss, accuracy });
            if stop.load(Ordering::Relaxed) && state.step < steps {
                trainer.fetch()?;
                state.save(checkpoint, recipe, &data.sha256, &trainer)?;
                return Ok(Outcome::Interrupted { checkpoint: checkpoint.to_owned() });
            }
        }
        trainer.fetch()?;
        trainer.averaged_into(&mut network);
        recalibrate(recipe, &mut network, before.as_ref(), &batches)?;
        let evaluation = evaluate(&network, data, &split.validation)?;
        let rate = schedule.rates((epoch + 1) * steps - 1).learning.into();
        let result = state.finish_epoch(recipe.batch_size, rate, &evaluation);
        let result = result.clone();
        let (since_best, left) = (state.epochs_since_best(), state.seconds_left(recipe.epochs));
        let at_chance = evaluation.at_chance();
        report(Progress::Epoch { epoch, result: &result, at_chance, since_best, left });
        let is_chosen = recipe.patience.is_none() || since_best == 0;
        if is_chosen {
            trainer.choose();
        }
        validation = is_chosen.then_some(evaluation);
        state.save(checkpoint, recipe, &data.sha256, &trainer)?;
        if stop.load(Ordering::Relaxed) && state.history.len() < recipe.epochs {
            return Ok(Outcome::Interrupted { checkpoint: checkpoint.to_owned() });
        }
    }
    let validation = match validation {
        Some(validation) => validation,
        // Resumed after the last epoch, or an earlier one is chosen: the network has to be made again.
        None => {
            trainer.chosen_into(&mut network);
            recalibrate(recipe, &mut network, before.as_ref(), &batches)?;
            evaluate(&network, data, &split.validation)?
        }
    };
    let train_images = split.train.len();
    let Checkpoint { history, ended, .. } = state;
    Ok(Outcome::Finished(Box::new(Finished { network, history, validation, train_images, ended })))
}

/// The statistics for the present weights: those of the pictures, mixed with what is kept of those before.
fn recalibrate(
    recipe: &Recipe,
    network: &mut Network,
    before: Option<&Network>,
    batches: &Batches<'_>,
) -> Result<()> {
    network.recalibrate(batches.calibration())?;
    if let (Some(before), Some(Init { keep, .. })) = (before, &recipe.init) {
        network.mix_statistics(before, *keep as f32);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
