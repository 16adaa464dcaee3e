//! `quantizer check`.

use super::inputs::{self, OnnxInputs};
use super::recipe::RecipeOptions;
use anyhow::{Context, Result, ensure};
use clap::Args;
use files::{ModelImage, Set};
use quantizer::check::{Comparison, Verdict, compare};
use quantizer::samples::Layout;
use serde_json::json;
use std::path::PathBuf;

/// Compare an int8 model image with its float network; exit code 1 if it is too much worse, or may be for all that so few
/// images can say.
#[derive(Args)]
pub struct Arguments {
    /// The float network: safetensors as `trainer fit` writes it, or .onnx
    float: PathBuf,
    /// The model image, as `quantizer calibrate` writes it
    int8: PathBuf,
    /// Test images: a folder with MNIST's files or one folder per class [default: trainer/data/mnist]; for .onnx a folder
    /// with one folder of pictures per class, or an .npz file with x and y
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// How the arrays of an .npz file lie [default: as the network's input]
    #[arg(long, value_enum)]
    layout: Option<Layout>,
    /// Largest drop in accuracy that passes, in percentage points: the upper end of its 95 % confidence interval counts
    /// [default: 0.2, of fewer than 5000 images 1000 by their number]
    #[arg(long, value_name = "POINTS")]
    max_drop: Option<f64>,
    /// End at pictures that cannot be read, instead of leaving them out
    #[arg(long)]
    strict: bool,
    /// One JSON object on the last line of stdout, everything else on stderr
    #[arg(long)]
    json: bool,
}

/// Runs the command; whether the check has passed.
///
/// # Errors
/// If a file cannot be read, or the networks and images do not belong together.
pub fn run(arguments: &Arguments) -> Result<bool> {
    if let Some(points) = arguments.max_drop {
        ensure!(points.is_finite(), "--max-drop is {points}: pass a number of points");
    }
    let image = ModelImage::open(&arguments.int8)?;
    let name = || arguments.int8.display().to_string();
    let model = image.parse()?;
    let (data, layout) = (arguments.data.as_deref(), arguments.layout);
    let is_onnx = inputs::is_onnx(&arguments.float)?;
    let (float, samples) = if is_onnx {
        let normalisation = inputs::normalisation(&model).with_context(name)?;
        let classes = model.labels().map(|labels| labels.map(str::to_owned).collect()).unwrap_or_default();
        let preparation = |shape| match model.recipe() {
            Ok(recipe) => Ok(recipe.preparation()),
            // Calibrated on arrays: pictures are scaled as `calibrate` would.
            Err(_) => RecipeOptions::default().preparation(shape),
        };
        let set = Set::Test;
        let inputs = OnnxInputs { data, set, classes, layout, normalisation, preparation: &preparation };
        inputs::onnx(&arguments.float, inputs)?
    } else {
        ensure!(
            arguments.layout.is_none(),
            "--layout is for .onnx: a safetensors file says itself how it is fed"
        );
        let trained = inputs::trained(&arguments.float, data, Set::Test)?;
        let wanted = trained.0.recipe.as_ref().map(|(preparation, _)| *preparation);
        let found = model.recipe().with_context(name)?.preparation();
        ensure!(
            wanted == Some(found),
            "the float network wants {wanted:?}, the model image {found:?}: they are no pair"
        );
        trained
    };
    let all: Vec<usize> = (0..samples.len()).collect();
    let (readable, left_out) = samples.readable(&all);
    left_out.check(arguments.strict)?;
    let comparison = compare(&float.graph, &model, &samples, &readable)?;
    let max_drop = arguments.max_drop.unwrap_or_else(|| usual_limit(readable.len()));
    let verdict = comparison.discordance().verdict(max_drop);
    let report = report(&comparison, &samples.classes, max_drop, verdict);
    if arguments.json {
        eprint!("{report}");
        let mut summary = summary(&comparison, verdict);
        summary["unreadable"] = json!(left_out.len());
        println!("{summary}");
    } else {
        print!("{report}");
    }
    inputs::warn_of_wrong_inputs(&comparison, is_onnx);
    left_out.report();
    Ok(verdict == Verdict::Passed)
}

/// The limit, in points, that so many images can tell: where the int8 network loses none to three of them, the interval ends at
/// 370 to 900 by their number.
fn usual_limit(images: usize) -> f64 {
    (1000.0 / images as f64).max(0.2)
}

fn report(comparison: &Comparison, classes: &[String], max_drop: f64, verdict: Verdict) -> String {
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
    let (drop, [low, high]) = (discordance.drop_points(), discordance.interval_points());
    lines.push(format!("drop       {drop:.3} points, 95 % confidence {low:.3} to {high:.3}"));
    lines.push(format!(
        "McNemar    {} right only in float, {} only in int8, exact p = {:.3}",
        discordance.lost,
        discordance.gained,
        discordance.p_value()
    ));
    lines.push(format!("agreement  {:.2} %", 100.0 * comparison.agreement()));
    let limit = format!("the limit is a drop of {} points", (1000.0 * max_drop).round() / 1000.0);
    lines.push(match verdict {
        Verdict::Passed => format!("passed: {limit}"),
        Verdict::Failed => format!("FAILED: {limit}"),
        Verdict::NotEnoughPictures { needed } => format!(
            "not enough pictures: {limit}, the drop may be {high:.3}; with the same shares of losses and gains {needed} \
             pictures are needed to tell"
        ),
    });
    lines.join("\n") + "\n"
}

fn summary(comparison: &Comparison, verdict: Verdict) -> serde_json::Value {
    let discordance = comparison.discordance();
    let [low, high] = discordance.interval_points();
    let needed = match verdict {
        Verdict::NotEnoughPictures { needed } => Some(needed),
        Verdict::Passed | Verdict::Failed => None,
    };
    json!({
        "images": discordance.images,
        "float_accuracy": comparison.float_accuracy(),
        "int8_accuracy": comparison.int8_accuracy(),
        "drop_points": discordance.drop_points(),
        "drop_low_points": low,
        "drop_high_points": high,
        "p_value": discordance.p_value(),
        "agreement": comparison.agreement(),
        "passed": verdict == Verdict::Passed,
        "pictures_needed": needed,
    })
}
