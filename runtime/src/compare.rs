//! `runtime compare`: what models cost, and what they give for it.

use crate::evaluate::Evaluation;
use crate::report::{Report, time};
use anyhow::{Context, Result};
use edge8::Operator;
use files::{ModelImage, data_folder};
use plot::{Axis, Canvas, Chart, Mark, Scale, Series, colour};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Where a repository has its test images.
const DEFAULT: &str = "trainer/data/mnist";

#[derive(clap::Args)]
pub struct Arguments {
    /// Model images (.edge8) of the same classes.
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// Folder with MNIST's idx files, gz or not, or with one subfolder of pictures per class.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Also draw the accuracy over multiplications, arena and image.
    #[arg(long, value_name = "FILE.png")]
    plot: Option<PathBuf>,
    /// Print one JSON object with the key models, a list of objects with the keys name, images, accuracy, rejected, macs,
    /// arena_bytes, image_bytes, ns.
    #[arg(long)]
    json: bool,
}

/// A model and what was measured.
struct Measured {
    name: String,
    images: usize,
    accuracy: f64,
    rejected: usize,
    macs: u64,
    arena: usize,
    bytes: usize,
    per_image: u128,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    arguments.plot.as_deref().map_or(Ok(()), files::check_output)?;
    let folder = data_folder(arguments.data.as_deref(), DEFAULT)?;
    let models: Vec<Measured> =
        arguments.models.iter().map(|path| measure(path, &folder)).collect::<Result<_>>()?;
    let report = Report::new(arguments.json);
    report.text(&table(&models))?;
    if let Some(path) = &arguments.plot {
        files::write(path, &picture(&models)?)?;
    }
    report.finish(&json!({ "models": models.iter().map(Measured::json).collect::<Vec<_>>() }))
}

fn measure(path: &Path, folder: &Path) -> Result<Measured> {
    let file = ModelImage::open(path)?;
    let model = file.parse()?;
    let evaluation = Evaluation::new(model, folder).with_context(|| path.display().to_string())?;
    evaluation.unreadable.check(false)?;
    Ok(Measured {
        name: path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
        images: evaluation.len(),
        accuracy: evaluation.accuracy(),
        rejected: evaluation.rejected,
        macs: model.operators().map(|operator| Operator::macs(&operator)).sum(),
        arena: model.arena_len(),
        bytes: file.bytes().len(),
        per_image: evaluation.per_image,
    })
}

impl Measured {
    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "images": self.images,
            "accuracy": self.accuracy,
            "rejected": self.rejected,
            "macs": self.macs,
            "arena_bytes": self.arena,
            "image_bytes": self.bytes,
            "ns": self.per_image as u64,
        })
    }
}

fn table(models: &[Measured]) -> String {
    let width = models.iter().map(|model| model.name.chars().count()).max().unwrap_or(0).max(5);
    let mut text = format!(
        "{:width$} {:>9} {:>9} {:>13} {:>8} {:>10} {:>10}",
        "model", "accuracy", "rejected", "million MACs", "arena", "image", "a picture"
    );
    for model in models {
        let (accuracy, macs) = (100.0 * model.accuracy, model.macs as f64 / 1e6);
        text += &format!(
            "\n{:width$} {accuracy:>7.2} % {:>9} {macs:>13.2} {:>8} {:>10} {:>10}",
            model.name,
            model.rejected,
            model.arena,
            model.bytes,
            time(model.per_image)
        );
    }
    text
}

/// Three diagrams of the accuracy: over multiplications, arena and image.
fn picture(models: &[Measured]) -> Result<Vec<u8>> {
    type Cost = fn(&Measured) -> f64;
    let costs: [(&str, Cost); 3] = [
        ("multiply-accumulates", |model| model.macs as f64),
        ("arena, bytes", |model| model.arena as f64),
        ("image, bytes", |model| model.bytes as f64),
    ];
    let mut canvas = Canvas::new(1500, 420);
    for (index, (name, cost)) in costs.into_iter().enumerate() {
        let series: Vec<Series> = (models.iter().enumerate())
            .map(|(index, model)| Series {
                name: model.name.clone(),
                colour: colour(index),
                points: vec![[cost(model), 100.0 * model.accuracy]],
                mark: Mark::Points,
            })
            .collect();
        let values = |axis: usize| {
            series.iter().flat_map(move |series| series.points.iter().map(move |point| point[axis]))
        };
        let axes = [
            Axis::new(name, Scale::Logarithmic, values(0)),
            Axis::new("accuracy, %", Scale::Linear, values(1)),
        ];
        Chart { title: "", axes, series: &series }.draw(
            &mut canvas,
            [70 + 490 * index as i32, 50],
            [400, 300],
        );
    }
    canvas.png()
}
