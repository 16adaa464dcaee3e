//! `trainer compare`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;
use trainer::fit::{Epoch, Recipe};
use trainer::plot::runs_png;

/// Options of `trainer compare`.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// What `trainer fit` wrote into its --out: such folders, or history.json files.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// Also draw the validation curves of all runs.
    #[arg(long, value_name = "FILE.png")]
    plot: Option<PathBuf>,
    /// Print one JSON object: runs, each with name, command, epochs, seconds, best_epoch, and loss, accuracy, validation_loss and
    /// validation_accuracy of the last epoch.
    #[arg(long)]
    json: bool,
}

/// What is in a history.json.
#[derive(Deserialize)]
struct History {
    recipe: Recipe,
    epochs: Vec<Epoch>,
}

/// A run by its name.
struct Run {
    name: String,
    recipe: Recipe,
    epochs: Vec<Epoch>,
    last: Epoch,
}

impl Compare {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let runs: Vec<Run> = self.runs.iter().map(|path| read(path)).collect::<Result<_>>()?;
        if let Some(path) = &self.plot {
            let curves: Vec<(&str, &[Epoch])> =
                runs.iter().map(|run| (run.name.as_str(), run.epochs.as_slice())).collect();
            files::write(path, &runs_png(&curves)?)?;
        }
        if self.json {
            let runs: Vec<_> = runs.iter().map(Run::json).collect();
            println!("{}", serde_json::json!({ "runs": runs }));
        } else {
            print(&runs);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn read(path: &Path) -> Result<Run> {
    let file = if path.is_dir() { path.join("history.json") } else { path.to_owned() };
    let bytes = files::read(&file)
        .context("pass folders that `trainer fit` has written into with --out, or history.json files")?;
    let History { recipe, epochs } = serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is no history.json of this version of `trainer fit`", file.display()))?;
    let last = epochs.last().with_context(|| format!("{} has no epoch", file.display()))?.clone();
    Ok(Run { name: path.display().to_string(), recipe, epochs, last })
}

impl Run {
    /// The epoch with the least validation loss, from 1.
    fn best(&self) -> usize {
        let losses = self.epochs.iter().map(|epoch| epoch.validation_loss);
        losses.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(best, _)| best + 1)
    }

    fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "name": self.name,
            "command": self.recipe.command(),
            "epochs": self.epochs.len(),
            "seconds": self.seconds(),
            "best_epoch": self.best(),
            "loss": self.last.loss,
            "accuracy": self.last.accuracy,
            "validation_loss": self.last.validation_loss,
            "validation_accuracy": self.last.validation_accuracy,
        })
    }
}

/// A line for each run, what differs from the first one, and what runs give that differ by their seeds only.
fn print(runs: &[Run]) {
    let width = runs.iter().map(|run| run.name.chars().count()).max().unwrap_or(0).max(3);
    println!("{:width$} epochs  loss accuracy  validation: loss accuracy  least at     time", "run");
    for run in runs {
        let Epoch { loss, accuracy, validation_loss, validation_accuracy, .. } = run.last;
        println!(
            "{:width$} {:>6} {loss:>6.4} {:>6.2} % {validation_loss:>17.4} {:>6.2} % {:>9} {:>8.0} s",
            run.name,
            run.epochs.len(),
            100.0 * accuracy,
            100.0 * validation_accuracy,
            run.best(),
            run.seconds(),
        );
    }
    let Some((first, others)) = runs.split_first() else { return };
    for run in others {
        let (here, there) = first.recipe.differences(&run.recipe);
        if !here.is_empty() {
            println!("{}: {}; the first: {}", run.name, there.join(" "), here.join(" "));
        }
    }
    for (names, accuracies) in by_recipe(runs).into_values().filter(|(names, _)| names.len() > 1) {
        let (mean, deviation) = spread(&accuracies);
        println!(
            "{}: validation accuracy {:.2} %, standard deviation {:.2} points over {} seeds",
            names.join(", "),
            100.0 * mean,
            100.0 * deviation,
            names.len()
        );
    }
}

/// Names and validation accuracies of the runs by their command without the seed.
fn by_recipe(runs: &[Run]) -> BTreeMap<String, (Vec<&str>, Vec<f64>)> {
    let mut groups: BTreeMap<String, (Vec<&str>, Vec<f64>)> = BTreeMap::new();
    for run in runs {
        let key = Recipe { seed: 0, ..run.recipe.clone() }.command();
        let (names, accuracies) = groups.entry(key).or_default();
        names.push(&run.name);
        accuracies.push(run.last.validation_accuracy);
    }
    groups
}

/// Mean and standard deviation of a sample.
fn spread(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let (mean, deviation) = super::spread(&[1.0, 2.0, 3.0]);
        assert!((mean - 2.0).abs() < 1e-12 && (deviation - 1.0).abs() < 1e-12);
    }
}
