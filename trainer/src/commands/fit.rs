//! `trainer fit`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use clap::Args;
use edge8::Framing;
use files::{Dataset, Pictures, Set};
use indicatif::{ProgressBar, ProgressStyle};
use mobilenet::Architecture;
use mobilenet::{ModelFile, Preprocessing};
use trainer::download;
use trainer::fit::{Finished, Outcome, Progress, Recipe, fit};
use trainer::plot::{confusion_png, curves_png};

/// The exit code of programs that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// Options of `trainer fit`.
#[derive(Debug, Args)]
pub(crate) struct Fit {
    /// MNIST's train files (.gz or not), or one subfolder of PNG or JPEG pictures for each class [default: MNIST,
    /// downloaded once into the user's cache folder].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Passes over the training pictures.
    #[arg(long, default_value_t = 20)]
    epochs: usize,
    /// Pictures for one step.
    #[arg(long, default_value_t = 128)]
    batch_size: usize,
    /// Highest learning rate.
    #[arg(long, default_value_t = 3e-3)]
    lr: f64,
    /// Decides first weights, order, augmentation and dropout: the same seed gives the same weights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Width multiplier of the channels.
    #[arg(long, default_value_t = 0.35)]
    alpha: f64,
    /// Rows and columns of the network's input, 28 to 224.
    #[arg(long, default_value_t = 32)]
    input_size: u16,
    /// Stride of the first convolution, 1 or 2.
    #[arg(long, default_value_t = 1)]
    stem_stride: usize,
    /// Channels of the last convolution, a multiple of 8 [default: 1280, more for alpha above 1].
    #[arg(long, value_name = "CHANNELS")]
    last_channels: Option<usize>,
    /// Folder for model.safetensors, history.json, curves.png, confusion.png and, until the end, the checkpoint.
    #[arg(long, value_name = "DIR", default_value = "trained")]
    out: PathBuf,
    /// Go on from the checkpoint in the --out folder.
    #[arg(long)]
    resume: bool,
    /// End at pictures that cannot be read, instead of leaving them out.
    #[arg(long)]
    strict: bool,
    /// Train on the pictures as they are, without rotation, shift, zoom and shear.
    #[arg(long)]
    no_augment: bool,
}

impl Fit {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let framing = Framing::mnist(self.input_size);
        // Wrong sizes are found before the data is read.
        self.architecture(vec![String::new(); 2])?;
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot create {}", self.out.display()))?;
        let (data, name) = self.load(framing)?;
        let side = usize::from(self.input_size);
        let recipe = Recipe {
            architecture: self.architecture(data.classes.clone())?,
            epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.lr,
            seed: self.seed,
            augment: !self.no_augment,
            ..Recipe::new(side, data.classes.clone())?
        };
        let stop = Arc::new(AtomicBool::new(false));
        let handler = stop.clone();
        ctrlc::set_handler(move || handler.store(true, Ordering::Relaxed))?;
        let checkpoint = self.out.join("checkpoint.safetensors");
        let bar = Bar::new(&recipe);
        match fit(&recipe, &data, &checkpoint, self.resume, &stop, |progress| bar.show(&progress))? {
            Outcome::Interrupted { checkpoint } => {
                bar.0.abandon();
                eprintln!("stopped; the same command with --resume goes on from {}", checkpoint.display());
                Ok(ExitCode::from(INTERRUPTED))
            }
            Outcome::Finished(finished) => {
                bar.0.finish_and_clear();
                self.write(&recipe, framing, &data, &name, &finished)?;
                std::fs::remove_file(&checkpoint)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    fn architecture(&self, classes: Vec<String>) -> Result<Architecture> {
        Architecture::new(self.alpha, self.input_size.into(), self.stem_stride, classes)?
            .with_last_channels(self.last_channels)
    }

    /// The training pictures and what to call them.
    fn load(&self, framing: Framing) -> Result<(Dataset, String)> {
        let folder = match &self.data {
            Some(folder) => folder.clone(),
            None => {
                let folder = download::cache_folder()?;
                download::download_mnist(&folder)?;
                folder
            }
        };
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (data, left_out) = Dataset::frame(&Pictures::open(&folder, Set::Training)?, framing)?;
        left_out.check(self.strict)?;
        left_out.report();
        Ok((data, name))
    }

    fn write(
        &self,
        recipe: &Recipe,
        framing: Framing,
        data: &Dataset,
        name: &str,
        finished: &Finished,
    ) -> Result<()> {
        let validation = &finished.validation;
        let model = ModelFile {
            architecture: recipe.architecture.clone(),
            preprocessing: Preprocessing { side: framing.side, digit: framing.digit, scale: 1.0 / 255.0 },
            provenance: serde_json::json!({
                "command": command(recipe),
                "dataset": name,
                "dataset_sha256": data.sha256,
                "train_images": finished.train_images,
                "validation_images": validation.images,
                "epochs": recipe.epochs,
                "seed": recipe.seed,
                "validation_accuracy": validation.accuracy(),
            }),
            tensors: finished.network.tensors()?,
        };
        let path = |name: &str| self.out.join(name);
        let history = serde_json::json!({ "recipe": recipe, "epochs": finished.history });
        write(&path("history.json"), format!("{history:#}\n").as_bytes())?;
        write(&path("curves.png"), &curves_png(&finished.history)?)?;
        write(&path("confusion.png"), &confusion_png(&validation.confusion, &data.classes)?)?;
        model.save(&path("model.safetensors"))?;
        let (correct, images) = (validation.correct, validation.images);
        eprintln!("validation: {correct} of {images} right, {:.2} %", 100.0 * validation.accuracy());
        eprintln!("wrote {}, history.json, curves.png, confusion.png", path("model.safetensors").display());
        Ok(())
    }
}

/// What to type for the same weights; the data is named apart, by its hash.
fn command(recipe: &Recipe) -> String {
    let Architecture { alpha, input_size, stem_stride, last_channels, .. } = &recipe.architecture;
    let Recipe { epochs, batch_size, learning_rate, seed, .. } = recipe;
    let last_channels =
        last_channels.map_or(String::new(), |channels| format!(" --last-channels {channels}"));
    let augment = if recipe.augment { "" } else { " --no-augment" };
    format!(
        "trainer fit --epochs {epochs} --batch-size {batch_size} --lr {learning_rate} --seed {seed} \
         --alpha {alpha} --input-size {input_size} --stem-stride {stem_stride}{last_channels}{augment}"
    )
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    files::write(path, bytes)
}

/// The progress bar; without a terminal, one line for each epoch.
struct Bar(ProgressBar, Recipe);

impl Bar {
    fn new(recipe: &Recipe) -> Self {
        let bar = ProgressBar::new(0);
        // The template is a constant, so a failure would be a mistake in it; the default bar does then.
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3} %  {msg}  {eta} left") {
            bar.set_style(style);
        }
        Self(bar, recipe.clone())
    }

    fn show(&self, progress: &Progress<'_>) {
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
            Progress::Epoch { epoch, result } => {
                let line = format!(
                    "epoch {:>2}/{epochs}: loss {:.4}, accuracy {:.2} %; validation loss {:.4}, accuracy {:.2} %; {:.0} s",
                    epoch + 1,
                    result.loss,
                    100.0 * result.accuracy,
                    result.validation_loss,
                    100.0 * result.validation_accuracy,
                    result.seconds
                );
                bar.suspend(|| eprintln!("{line}"));
            }
        }
    }
}
