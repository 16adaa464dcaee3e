//! `runtime run`: what a picture shows.

use crate::classifier::{Classifier, Reading};
use crate::model_file::ModelOption;
use crate::report::{Report, time};
use crate::threads::ThreadsOption;
use anyhow::{Context, Result};
use edge8::Preparation;
use edge8_preprocess::{Picture, prepare, workspace_len};
use files::OwnedPicture;
use image::{ColorType, ImageFormat};
use serde_json::json;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Length of the bar of a probability of 1.
const BAR: f64 = 40.0;

/// So many classes are all printed; of more, the likeliest ones.
const ALL: usize = 12;
const LIKELIEST: usize = 5;

#[derive(clap::Args)]
pub struct Arguments {
    /// PNG, JPEG, WebP or BMP picture, up to 100 megapixels: of one digit, dark on light or light on dark, or of what the
    /// model knows.
    image: PathBuf,
    #[command(flatten)]
    model: ModelOption,
    #[command(flatten)]
    threads: ThreadsOption,
    /// Write what the network sees as a PNG file.
    #[arg(long, value_name = "FILE")]
    show_input: Option<PathBuf>,
    /// Print one JSON object with the keys label, class, rejected, probabilities, ns, preprocessing_ns; of a picture that is rejected, because it
    /// may be of none of the classes, label and class are null.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    arguments.show_input.as_deref().map_or(Ok(()), files::check_output)?;
    let model = arguments.model.load()?;
    let mut classifier = Classifier::new(model.parse()?, arguments.threads.start()?)?;
    let file = OwnedPicture::read(&arguments.image, classifier.channels())?;
    let picture = file.picture()?;
    let reading = classifier.classify(&picture).with_context(|| arguments.image.display().to_string())?;
    if let Some(path) = &arguments.show_input {
        show_input(&picture, &classifier.recipe().preparation(), path)?;
    }
    let probabilities = classifier.probabilities();
    let answer = (!reading.rejected).then_some(reading.class);
    let report = Report::new(arguments.json);
    report.text(&describe(&classifier, &reading, &probabilities))?;
    report.finish(&json!({
        "label": answer.map(|class| classifier.label(class)),
        "class": answer,
        "rejected": reading.rejected,
        "probabilities": probabilities,
        "ns": reading.inference.as_nanos() as u64,
        "preprocessing_ns": reading.preprocessing.as_nanos() as u64,
    }))
}

fn describe(classifier: &Classifier<'_>, reading: &Reading, probabilities: &[f64]) -> String {
    let classes = printed(probabilities);
    let width = classes.iter().map(|&class| classifier.label(class).chars().count()).max().unwrap_or(1);
    let answer =
        if reading.rejected { classifier.none().to_owned() } else { classifier.label(reading.class) };
    let mut text = format!("{answer}\n\n");
    for class in classes {
        let probability = probabilities[class];
        let bar = "█".repeat((probability * BAR).round().clamp(0.0, BAR) as usize);
        let label = classifier.label(class);
        text += format!("{label:>width$} {:5.1} % {bar}", 100.0 * probability).trim_end();
        text += "\n";
    }
    let (before, inference) = (reading.preprocessing.as_nanos(), reading.inference.as_nanos());
    text + &format!("\npre-processing {}, inference {}", time(before), time(inference))
}

/// The classes to print: all in their order, or the likeliest first.
fn printed(probabilities: &[f64]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..probabilities.len()).collect();
    if classes.len() > ALL {
        classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        classes.truncate(LIKELIEST);
    }
    classes
}

/// Writes the prepared picture, a pixel for each place of the input tensor.
fn show_input(picture: &Picture<'_>, preparation: &Preparation, path: &Path) -> Result<()> {
    let shape = preparation.shape();
    let mut bytes = vec![0; shape.len()];
    let mut workspace = vec![0; workspace_len(preparation, picture.width(), picture.height())];
    prepare(preparation, picture, &mut workspace, &mut bytes)?;
    let colours = if shape.channels == 1 { ColorType::L8 } else { ColorType::Rgb8 };
    let mut png = Cursor::new(Vec::new());
    let (width, height) = (shape.width.into(), shape.height.into());
    image::write_buffer_with_format(&mut png, &bytes, width, height, colours, ImageFormat::Png)?;
    files::write(path, &png.into_inner())
}

#[cfg(test)]
mod tests {
    #[test]
    fn of_many_classes_the_likeliest_are_printed() {
        assert_eq!(super::printed(&[0.1, 0.9]), [0, 1]);
        let many: Vec<f64> = (0..100).map(|class| f64::from((class * 37) % 100)).collect();
        let printed = super::printed(&many);
        assert_eq!(
            printed.iter().map(|&class| many[class]).collect::<Vec<_>>(),
            [99.0, 98.0, 97.0, 96.0, 95.0]
        );
    }
}
