//! `runtime run`: the digit in a picture.

use crate::classifier::{Classifier, Reading};
use crate::model_file::ModelOption;
use crate::report::{Report, time};
use crate::threads::ThreadsOption;
use anyhow::{Context, Result};
use edge8::Framing;
use edge8_preprocess::Picture;
use edge8_preprocess::digit::{Workspace, frame};
use image::{GrayImage, ImageFormat};
use serde_json::json;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Length of the bar of a probability of 1.
const BAR: f64 = 40.0;

#[derive(clap::Args)]
pub struct Arguments {
    /// PNG or JPEG picture of one digit, dark on light or light on dark, up to 100 megapixels.
    image: PathBuf,
    #[command(flatten)]
    model: ModelOption,
    #[command(flatten)]
    threads: ThreadsOption,
    /// Write what the network sees as a PNG file.
    #[arg(long, value_name = "FILE")]
    show_input: Option<PathBuf>,
    /// Print one JSON object with the keys label, class, probabilities, ns.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    arguments.show_input.as_deref().map_or(Ok(()), files::check_output)?;
    let model = arguments.model.load()?;
    let mut classifier = Classifier::new(model.parse()?, arguments.threads.start()?)?;
    let file = files::read_picture(&arguments.image)?;
    let picture = file.picture()?;
    let reading = classifier.classify(&picture).with_context(|| arguments.image.display().to_string())?;
    if let Some(path) = &arguments.show_input {
        let digit = classifier
            .recipe()
            .digit()
            .context("--show-input shows a framed digit, this model reads none")?;
        show_input(&picture, digit.framing(), path)?;
    }
    let probabilities = classifier.probabilities();
    let report = Report::new(arguments.json);
    report.text(&describe(&classifier, &reading, &probabilities))?;
    report.finish(&json!({
        "label": classifier.label(reading.class),
        "class": reading.class,
        "probabilities": probabilities,
        "ns": reading.inference.as_nanos() as u64,
        "preprocessing_ns": reading.preprocessing.as_nanos() as u64,
    }))
}

fn describe(classifier: &Classifier<'_>, reading: &Reading, probabilities: &[f64]) -> String {
    let width =
        (0..probabilities.len()).map(|class| classifier.label(class).chars().count()).max().unwrap_or(1);
    let mut text = format!("{}\n\n", classifier.label(reading.class));
    for (class, probability) in probabilities.iter().enumerate() {
        let bar = "█".repeat((probability * BAR).round().clamp(0.0, BAR) as usize);
        let label = classifier.label(class);
        text += format!("{label:>width$} {:5.1} % {bar}", 100.0 * probability).trim_end();
        text += "\n";
    }
    let (before, inference) = (reading.preprocessing.as_nanos(), reading.inference.as_nanos());
    text + &format!("\npre-processing {}, inference {}", time(before), time(inference))
}

/// Writes the framed digit, a pixel for each value of the input tensor.
fn show_input(picture: &Picture<'_>, framing: Framing, path: &Path) -> Result<()> {
    let side = u32::from(framing.side);
    let mut framed = GrayImage::new(side, side);
    frame(picture, framing, Workspace::new().bytes(), &mut framed)?;
    let mut png = Cursor::new(Vec::new());
    framed.write_to(&mut png, ImageFormat::Png)?;
    files::write(path, &png.into_inner())
}
