//! `quantizer check`.

use super::files;
use anyhow::{Context, Result, ensure};
use clap::Args;
use quantizer::check::{Comparison, compare};
use quantizer::{framing, graph};
use runtime::Model;
use serde_json::json;
use std::path::PathBuf;
use trainer::data;
use trainer::file::ModelFile;

/// Test images that the repository ships.
const SHIPPED: &str = "trainer/data/mnist";

/// Compare an int8 model image with its float network; exit code 1 if it is too much worse.
#[derive(Args)]
pub struct Arguments {
    /// The float network, as `trainer fit` writes it
    float: PathBuf,
    /// The model image, as `quantizer calibrate` writes it
    int8: PathBuf,
    /// Folder with test images: MNIST's files, or one folder per class [default: trainer/data/mnist]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Largest drop in accuracy that passes, in percentage points
    #[arg(long, value_name = "POINTS", default_value_t = 0.2)]
    max_drop: f64,
    /// One JSON object on the last line of stdout, everything else on stderr
    #[arg(long)]
    json: bool,
}

/// Runs the command; whether the check has passed.
///
/// # Errors
/// If a file cannot be read, or the networks and images do not belong together.
pub fn run(arguments: &Arguments) -> Result<bool> {
    ensure!(arguments.max_drop.is_finite(), "--max-drop is {}: pass a number of points", arguments.max_drop);
    let folder = files::data_folder(arguments.data.as_deref(), SHIPPED)?;
    let file = ModelFile::load(&arguments.float)?;
    let bytes = files::read(&arguments.int8)?;
    let model = Model::parse(&bytes).with_context(|| arguments.int8.display().to_string())?;
    let framing = framing(&file);
    let recipe = model.recipe().with_context(|| arguments.int8.display().to_string())?;
    ensure!(
        recipe.framing() == framing,
        "the float network wants {framing:?}, the model image {:?}: they are no pair",
        recipe.framing()
    );
    let images = data::load_test(&folder, framing)?;
    let graph = graph::from_safetensors(&file)?;
    let comparison = compare(&graph, file.preprocessing.scale as f32, &model, &images)?;
    let passed = comparison.discordance().drop_points() <= arguments.max_drop;
    let report = report(&comparison, &images.classes, arguments.max_drop, passed);
    if arguments.json {
        eprint!("{report}");
        println!("{}", summary(&comparison, passed));
    } else {
        print!("{report}");
    }
    Ok(passed)
}

fn report(comparison: &Comparison, classes: &[String], max_drop: f64, passed: bool) -> String {
    let discordance = comparison.discordance();
    let name = |class: usize| classes.get(class).map_or_else(|| class.to_string(), String::clone);
    let mut lines = Vec::new();
    for (index, answer) in comparison.flips() {
        let names = [answer.label, answer.float, answer.int8].map(name);
        lines.push(format!("image {index}: label {}, float {}, int8 {}", names[0], names[1], names[2]));
    }
    lines.push(format!("images     {}", discordance.images));
    lines.push(format!("float      {:.2} %", 100.0 * comparison.float_accuracy()));
    lines.push(format!("int8       {:.2} %", 100.0 * comparison.int8_accuracy()));
    lines.push(format!(
        "drop       {:.3} points, 95 % confidence {:.3} to {:.3}",
        discordance.drop_points(),
        discordance.drop_points() - discordance.margin_points(),
        discordance.drop_points() + discordance.margin_points()
    ));
    lines.push(format!(
        "McNemar    {} right only in float, {} only in int8, exact p = {:.3}",
        discordance.lost,
        discordance.gained,
        discordance.p_value()
    ));
    lines.push(format!("agreement  {:.2} %", 100.0 * comparison.agreement()));
    let verdict = if passed { "passed" } else { "FAILED" };
    lines.push(format!("{verdict}: the limit is a drop of {max_drop} points\n"));
    lines.join("\n")
}

fn summary(comparison: &Comparison, passed: bool) -> serde_json::Value {
    let discordance = comparison.discordance();
    json!({
        "images": discordance.images,
        "float_accuracy": comparison.float_accuracy(),
        "int8_accuracy": comparison.int8_accuracy(),
        "drop_points": discordance.drop_points(),
        "drop_margin_points": discordance.margin_points(),
        "p_value": discordance.p_value(),
        "agreement": comparison.agreement(),
        "passed": passed,
    })
}
