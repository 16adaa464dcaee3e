//! `trainer fit`.

mod data;
mod results;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use clap::Args;
use clap::error::ErrorKind;
use edge8::{Framing, Preparation};
use files::{Order, hex};
use mobilenet::{Architecture, ModelFile};
use sha2::{Digest, Sha256};
use trainer::fit::{Init, Others, Outcome, Recipe, Teacher, Wishes, fit, training_counts};

use super::bar::Bar;
use super::device::Where;
use super::prepare::Prepare;

/// The exit code of programs that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// Of a teacher's answers, as is usual; what suits these networks was not measured.
const TEMPERATURE: f64 = 4.0;
const TEACHER_WEIGHT: f64 = 0.7;

/// Options of `trainer fit`.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Fit {
    /// MNIST's train files (.gz or not), or one subfolder of pictures for each class [default: MNIST, downloaded once into the
    /// user's cache folder]. Several times for several folders, of which the first says what classes there are.
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    prepare: Prepare,
    #[command(flatten)]
    r#where: Where,
    /// Begin with this network, a model.safetensors: its widths and, unless told otherwise, its input are taken over; what it
    /// cannot know, as classes of other names, is learnt anew.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["alpha", "last_channels"])]
    init: Option<PathBuf>,
    /// How much of --init is in the result, which is the mean of its weights and the trained ones: what it knew before is
    /// not forgotten [default: 0.5 for the same classes, else 0].
    #[arg(long, value_name = "SHARE")]
    keep: Option<f64>,
    /// Learn also what this network, a model.safetensors with the same input and classes, says of the pictures: a larger one,
    /// trained before.
    #[arg(long, value_name = "FILE")]
    teacher: Option<PathBuf>,
    /// What logits are divided by before the --teacher's probabilities are learnt, 1 to 100 [default: 4].
    #[arg(long, value_name = "DIVISOR", requires = "teacher")]
    temperature: Option<f64>,
    /// What the --teacher counts, 0 to 1; the classes themselves count the rest [default: 0.7].
    #[arg(long, value_name = "SHARE", requires = "teacher")]
    teacher_weight: Option<f64>,
    /// Layers of --init that stay as they are, from the input on: 1 to 17 blocks, 18 for all but the dense layers.
    #[arg(long, value_name = "LAYERS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=18))]
    freeze: u8,
    /// Epochs, after each of which the network is validated: passes over the training pictures, several for fewer than 3200
    /// [default: 20, or enough for 4000 steps; with --init 5, or enough for 1500]. With --resume and more of them than before,
    /// a run goes on after its end: the learning rate rises to where that of the longer run would be, and falls again.
    #[arg(long)]
    epochs: Option<usize>,
    /// Pictures for one step [default: 128; 32 or fewer for fewer than 10,000 pictures].
    #[arg(long)]
    batch_size: Option<usize>,
    /// End after so many epochs in which the validation loss was no better, and take the best epoch's network [default: go on to
    /// the end, and take the last].
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<usize>,
    /// Highest learning rate [default: 0.003, with --init 0.001; less for a batch below 32].
    #[arg(long)]
    lr: Option<f64>,
    /// Decides first weights, order, augmentation and dropout: the same seed gives the same weights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Width multiplier of the channels [default: 0.35].
    #[arg(long)]
    alpha: Option<f64>,
    /// Stride of the first convolution, 1 or 2 [default: 1 up to an input of 48, else 2].
    #[arg(long)]
    stem_stride: Option<usize>,
    /// Channels of the last convolution, a multiple of 8 [default: 1280, more for alpha above 1].
    #[arg(long, value_name = "CHANNELS")]
    last_channels: Option<usize>,
    /// Units of a dense layer before the classes, 0 for none [default: 128 for 10,000 digits or more, else 0].
    #[arg(long, value_name = "UNITS")]
    hidden: Option<usize>,
    /// Share that is left out before the classes in each step [default: 0.5 with a hidden layer, else 0.2].
    #[arg(long, value_name = "SHARE")]
    dropout: Option<f64>,
    /// Share of each picture's class that all classes get [default: 0 for digits, else 0.1].
    #[arg(long, value_name = "SHARE")]
    smoothing: Option<f64>,
    /// Pictures of no class that each batch has besides, as part of its size: parts of the pictures put together in another way,
    /// and strokes; the network learns to be in doubt about them [default: 0].
    #[arg(long, value_name = "SHARE")]
    outliers: Option<f64>,
    /// How classes follow one another that are numbers, in the order of their names: a picture's class is then also a little
    /// those beside it.
    #[arg(long, value_name = "line|cycle")]
    order: Option<Order>,
    /// Folder for model.safetensors, history.json, curves.png, confusion.png, mistakes.png and
    /// checkpoint.safetensors.
    #[arg(long, value_name = "DIR", default_value = "trained")]
    out: PathBuf,
    /// Go on from the checkpoint in the --out folder: the same command with --resume ends an interrupted run, one with
    /// more --epochs continues a run that has ended.
    #[arg(long)]
    resume: bool,
    /// Train anew although the --out folder holds a checkpoint.
    #[arg(long, conflicts_with = "resume")]
    overwrite: bool,
    /// End at pictures that cannot be read, instead of leaving them out.
    #[arg(long)]
    strict: bool,
    /// Keep pictures together that lie in subfolders of one name in their classes: all are trained on, or none. Near-copies,
    /// as of one camera, do not flatter the validation then.
    #[arg(long)]
    groups: bool,
    /// Only the shape tells the class, as of letters: also train on the pictures in other colours, in grey and inverted.
    #[arg(long, conflicts_with = "no_augment")]
    recolour: bool,
    /// Train on the pictures as they are, without random changes.
    #[arg(long)]
    no_augment: bool,
}

impl Fit {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        // Wrong options and folders are found before the data is fetched and read.
        self.check_options().map_err(usage)?;
        let device = self.r#where.device().map_err(usage)?;
        let checkpoint = self.out.join("checkpoint.safetensors");
        self.check_output(&checkpoint)?;
        device.check()?;
        let init = self.init.as_deref().map(|file| start(file, self.freeze.into())).transpose()?;
        let (teacher, teaching) = self.teacher.as_deref().map(other).transpose()?.unzip();
        let init_preparation = init.as_ref().map(|(_, file)| file.preprocessing.preparation);
        let (data, name) = data::load(&self.data, &self.prepare, init_preparation, self.strict)?;
        let counts = training_counts(&data, self.groups);
        let (init, base) = init.unzip();
        let mut wishes = self.wishes(init.zip(base.as_ref().map(|file| file.architecture.clone())));
        wishes.teacher = teacher.map(|file| self.taught_by(file));
        let recipe = Recipe::choose(&wishes, &data.preparation, data.classes.clone(), &counts)?;
        eprintln!("{}", recipe.command());
        let stop = Arc::new(AtomicBool::new(false));
        let handler = stop.clone();
        ctrlc::set_handler(move || handler.store(true, Ordering::Relaxed))?;
        let bar = Bar::new(&recipe);
        let others = Others { init: base.as_ref(), teacher: teaching.as_ref(), device };
        match fit(&recipe, others, &data, &checkpoint, self.resume, &stop, |progress| bar.show(&progress))? {
            Outcome::Interrupted { checkpoint } => {
                bar.abandon();
                let instead = if self.overwrite { " instead of --overwrite" } else { "" };
                let from = checkpoint.display();
                eprintln!("stopped; the same command with --resume{instead} goes on from {from}");
                Ok(ExitCode::from(INTERRUPTED))
            }
            Outcome::Finished(finished) => {
                bar.clear();
                results::write(&self.out, &recipe, &data, &name, &finished)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    fn wishes(&self, init: Option<(Init, Architecture)>) -> Wishes {
        Wishes {
            init,
            keep: self.keep,
            patience: self.patience,
            epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.lr,
            seed: self.seed,
            alpha: self.alpha,
            stem_stride: self.stem_stride,
            last_channels: self.last_channels,
            hidden: self.hidden,
            dropout: self.dropout,
            smoothing: self.smoothing,
            outliers: self.outliers,
            teacher: None,
            no_augment: self.no_augment,
            recolour: self.recolour,
            groups: self.groups,
            order: self.order,
        }
    }

    /// The teacher, its file by name and SHA-256.
    fn taught_by(&self, (file, sha256): (String, String)) -> Teacher {
        Teacher {
            file,
            sha256,
            temperature: self.temperature.unwrap_or(TEMPERATURE),
            weight: self.teacher_weight.unwrap_or(TEACHER_WEIGHT),
        }
    }

    /// Whether some set of pictures may be trained on so.
    fn check_options(&self) -> Result<()> {
        self.prepare.check()?;
        // Where --alpha is given, which excludes --init, clap would not ask for it.
        ensure!(
            self.init.is_some() || self.freeze == 0 && self.keep.is_none(),
            "--freeze and --keep are for a network to begin with: pass --init FILE"
        );
        let preparation = Preparation::Digit(Framing::mnist(32));
        let teacher = self.teacher.as_ref().map(|_| self.taught_by(Default::default()));
        let wishes = Wishes { teacher, ..self.wishes(None) };
        Recipe::choose(&wishes, &preparation, vec![String::new(); 2], &[1000; 2]).map(drop)
    }

    /// Refuses a folder that cannot be written into, whose checkpoint would be lost, or that has none to resume from.
    fn check_output(&self, checkpoint: &Path) -> Result<()> {
        ensure!(
            !self.resume || checkpoint.is_file(),
            "no checkpoint to resume from at {}: leave --resume out, or pass the --out of the run to go on with",
            checkpoint.display()
        );
        ensure!(
            self.resume || self.overwrite || !checkpoint.exists(),
            "{} holds the checkpoint of a run: pass --resume to go on with it, --overwrite to train anew, or \
             another --out",
            self.out.display()
        );
        check_writable(&self.out)
    }
}

/// The network to begin with, and what the recipe is to say about it.
fn start(file: &Path, freeze: usize) -> Result<(Init, ModelFile)> {
    let ((file, sha256), model) = other(file)?;
    Ok((Init { file, sha256, freeze, keep: 0.0 }, model))
}

/// A network's file by name and SHA-256, and what it holds.
fn other(file: &Path) -> Result<((String, String), ModelFile)> {
    let model = ModelFile::load(file)?;
    let sha256 = hex(&Sha256::digest(files::read(file)?));
    Ok(((file.display().to_string(), sha256), model))
}

/// What makes clap say it and end with its exit code.
fn usage(error: anyhow::Error) -> anyhow::Error {
    clap::Error::raw(ErrorKind::ValueValidation, format!("{error:#}\n")).into()
}

/// Writes a temporary file into the folder, or into the one that it will be made in.
fn check_writable(folder: &Path) -> Result<()> {
    let existing = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let name = existing.display();
    ensure!(existing.is_dir(), "{name} is a file: pass a folder with --out");
    tempfile::tempfile_in(existing)
        .with_context(|| format!("cannot write into {name}: pass another folder with --out"))?;
    Ok(())
}
