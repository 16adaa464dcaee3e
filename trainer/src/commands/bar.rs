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
            Progress::Epoch { epoch, result, at_chance, since_best, left } => {
                let line = format!(
                    "epoch {:>2}/{epochs}: loss {:.4}, accuracy {:.2} %; validation loss {:.4}, accuracy {:.2} %{}; {:.0} s{}",
                    epoch + 1,
                    result.loss,
                    100.0 * result.accuracy,
                    result.validation_loss,
                    100.0 * result.validation_accuracy,
                    match since_best {
                        _ if at_chance => " (as by guessing)".to_owned(),
                        0 => String::new(),
                        1 => " (better the epoch before)".to_owned(),
                        _ => format!(" (better {since_best} epochs ago)"),
                    },
                    result.seconds,
                    if epoch + 1 < *epochs { format!(", {} left", time(left)) } else { String::new() }
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

/// A time for people.
fn time(seconds: f64) -> String {
    match seconds.round() as u64 {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_short() {
        assert_eq!([5.4, 119.0, 121.0, 9000.0].map(super::time), ["5 s", "119 s", "3 min", "2.5 h"]);
    }
}
