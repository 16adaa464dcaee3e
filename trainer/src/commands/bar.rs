//! How far training is.

use indicatif::{ProgressBar, ProgressStyle};
use trainer::fit::{Progress, Recipe};

/// The progress bar; without a terminal, one line for each epoch.
#[derive(Debug)]
pub(super) struct Bar(ProgressBar, Recipe);

impl Bar {
    /// For a run by `recipe`.
    pub(super) fn new(recipe: &Recipe) -> Self {
        let bar = ProgressBar::new(0);
        // The template is a constant, so a failure would be a mistake in it; the default bar does then.
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3} %  {msg}  {eta} left") {
            bar.set_style(style);
        }
        Self(bar, recipe.clone())
    }

    /// Shows a step, or prints an epoch's results.
    pub(super) fn show(&self, progress: &Progress<'_>) {
        let Self(bar, Recipe { epochs, batch_size, .. }) = self;
        match *progress {
            Progress::Step { epoch, step, steps, loss, accuracy } => {
                if bar.length() != Some((epochs * steps) as u64) {
                    bar.set_length((epochs * steps) as u64);
                    // A resumed run must not count what was done before as speed.
                    bar.set_position((epoch * steps + step - 1) as u64);
                    bar.reset_eta();
                }
                bar.set_position((epoch * steps + step) as u64);
                let rate = bar.per_sec() * *batch_size as f64;
                bar.set_message(format!(
                    "epoch {}/{epochs}  loss {loss:.4}  accuracy {:.2} %  {rate:.0} images/s",
                    epoch + 1,
                    100.0 * accuracy
                ));
            }
            Progress::Epoch { epoch, result, at_chance } => {
                let line = format!(
                    "epoch {:>2}/{epochs}: loss {:.4}, accuracy {:.2} %; validation loss {:.4}, accuracy {:.2} %{}; {:.0} s",
                    epoch + 1,
                    result.loss,
                    100.0 * result.accuracy,
                    result.validation_loss,
                    100.0 * result.validation_accuracy,
                    if at_chance { " (as by guessing)" } else { "" },
                    result.seconds
                );
                bar.suspend(|| eprintln!("{line}"));
            }
        }
    }

    /// Leaves the bar as it stands.
    pub(super) fn abandon(&self) {
        self.0.abandon();
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
