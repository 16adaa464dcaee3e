//! `quantizer calibrate`.

use super::inputs::{self, OnnxInputs};
use super::recipe::RecipeOptions;
use anyhow::{Result, ensure};
use clap::Args;
use edge8::Model;
use files::Set;
use mobilenet::Confidence;
use quantizer::calibrate::{Method, NotFinite, STABLE};
use quantizer::check::{Comparison, compare};
use quantizer::reject::{self, Fitted};
use quantizer::samples::{Layout, Samples};
use quantizer::{Conversion, FloatNetwork, convert, image};
use std::path::PathBuf;

/// So many images are enough for the ranges not to change any more.
const SAMPLES: usize = 512;

/// Share of pictures that may be rejected wrongly. Of 5,000 these are 15: others then lose less than 0.5 %, also where they are a
/// little harder.
const REJECT_RATE: f64 = 0.003;

/// Turn a float network into an int8 model image.
#[derive(Args)]
pub struct Arguments {
    /// The float network: safetensors as `trainer fit` writes it, or .onnx
    model: PathBuf,
    /// Quantise to int8, the only precision so far
    #[arg(long, required = true)]
    int8: bool,
    /// Training images: a folder with MNIST's files or one folder per class [default: trainer/data/calibration]; for
    /// .onnx a folder of pictures, with one folder per class or none, or an .npz file with x and maybe y
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    #[command(flatten, next_help_heading = "How pictures become the input of an .onnx file")]
    recipe: RecipeOptions,
    /// How the arrays of an .npz file lie [default: as the network's input]
    #[arg(long, value_enum)]
    layout: Option<Layout>,
    /// Number of training images to find the ranges on [default: 512, or all where there are fewer]
    #[arg(long)]
    samples: Option<usize>,
    /// How the ranges are chosen
    #[arg(long, value_enum, default_value_t = Method::Mse)]
    method: Method,
    /// Share of the pictures of its classes that the network may reject, 0 to 0.1: it is then as sure of an answer as of all but
    /// these. Of safetensors they are the pictures that `trainer fit` validated it with; of .onnx those of --data, which are not to
    /// be what it was trained on [default: 0.003 for safetensors, for .onnx no rule]
    #[arg(long, value_name = "SHARE", value_parser = reject_rate)]
    reject_rate: Option<f64>,
    /// End at pictures that cannot be read, instead of leaving them out
    #[arg(long)]
    strict: bool,
    /// Where to write the model image [default: MODEL with the extension .edge8]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read or written, or the network cannot be quantised.
pub fn run(arguments: &Arguments) -> Result<()> {
    let is_onnx = inputs::is_onnx(&arguments.model)?;
    let output = arguments.output.clone().unwrap_or_else(|| arguments.model.with_extension("edge8"));
    files::check_output(&output)?;
    let (float, samples) = open(arguments, is_onnx)?;
    let count = arguments.samples.unwrap_or(SAMPLES.min(samples.len()));
    let (chosen, left_out) = samples.readable(&samples.spread(count)?);
    left_out.check(arguments.strict)?;
    let images = chosen.iter().map(|&index| Ok(samples.reals(&samples.get(index)?)));
    let images: Vec<Vec<f32>> = images.collect::<Result<_>>()?;
    let conversion = convert(&float, &images, samples.range(), arguments.method);
    let mut conversion = conversion.map_err(|error| of_all_samples(error, &chosen))?;
    let rule = rule(arguments.reject_rate, &float, &conversion.image, &samples)?;
    if let Some(fitted) = &rule {
        conversion.image = reject::with_rule(&conversion.image, fitted.rule)?;
    }
    files::write(&output, &conversion.image)?;
    print_layers(&conversion);
    print_summary(&conversion);
    if let Some(fitted) = &rule {
        println!("{fitted}");
    }
    if samples.labels.is_some() {
        let comparison = compare(&float.graph, &Model::parse(&conversion.image)?, &samples, &chosen)?;
        print_accuracy(&comparison);
        inputs::warn_of_wrong_inputs(&comparison, is_onnx);
    }
    left_out.report();
    println!("written: {}", output.display());
    Ok(())
}

/// A share that may be rejected.
fn reject_rate(text: &str) -> Result<f64, String> {
    let most = Confidence::MOST;
    let rate = text.parse().ok().filter(|rate| (0.0..=most).contains(rate));
    rate.ok_or_else(|| format!("expected a share from 0 to {most}"))
}

/// The reject rule, by default of a network whose validation is known.
fn rule(rate: Option<f64>, float: &FloatNetwork, image: &[u8], samples: &Samples) -> Result<Option<Fitted>> {
    let Some(rate) = rate.or(float.confidence.as_ref().map(|_| REJECT_RATE)) else { return Ok(None) };
    let fitted = reject::fit(float, image, samples, rate)?;
    if fitted.is_none() && rate > 0.0 {
        eprintln!(
            "no reject rule: there are too few pictures to tell a limit that {} % of them lie below; add pictures, or pass a larger \
             --reject-rate",
            100.0 * rate
        );
    }
    Ok(fitted)
}

fn open(arguments: &Arguments, is_onnx: bool) -> Result<(FloatNetwork, Samples)> {
    let Arguments { model, data, layout, recipe, .. } = arguments;
    let data = data.as_deref();
    if is_onnx {
        let inputs = OnnxInputs {
            data,
            set: Set::Training,
            classes: recipe.labels()?,
            layout: *layout,
            normalisation: recipe.normalisation()?,
            preparation: &|shape| recipe.preparation(shape),
        };
        let (mut float, samples) = inputs::onnx(model, inputs)?;
        let graph = &float.graph;
        if float.recipe.is_none() {
            // From arrays: whether pictures become such an input too, they do not tell.
            let preparation = recipe.preparation(graph.tensor(graph.input()).shape);
            float.recipe = match preparation {
                Ok(preparation) if recipe.are_given() => Some((preparation, recipe.normalisation()?)),
                Err(error) if recipe.is_asked_for() => return Err(error),
                _ => None,
            };
        }
        let outputs = graph.tensor(graph.output()).shape.volume();
        if let Some(labels) = recipe.labels_for(outputs)? {
            float.labels = labels;
        }
        return Ok((float, samples));
    }
    ensure!(
        recipe.are_absent() && layout.is_none(),
        "--recipe, --fit, --mean, --std, --labels and --layout are for .onnx: a safetensors file says itself how it is fed"
    );
    inputs::trained(model, data, Set::Training)
}

/// An error that names an image by its index among all samples, of which some were chosen.
fn of_all_samples(error: anyhow::Error, chosen: &[usize]) -> anyhow::Error {
    match error.downcast::<NotFinite>() {
        Ok(found) => NotFinite { image: chosen[found.image], ..found }.into(),
        Err(error) => error,
    }
}

fn print_layers(conversion: &Conversion) {
    let names = image::operators(&conversion.network).map(|layer| layer.name.len());
    let width = names.max().unwrap_or(0).max(20);
    println!(
        "{:<width$} {:<18} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "layer", "operator", "min", "max", "clipped", "SNR/dB", "stable"
    );
    for (layer, noise) in image::operators(&conversion.network).zip(&conversion.noise) {
        let found = &conversion.calibration.tensors[layer.output.index()];
        let range = conversion.network.tensor(layer.output).quantisation.range();
        println!(
            "{:<width$} {:<18} {:>9.4} {:>9.4} {:>8.4}% {:>8.1} {:>8}",
            layer.name,
            layer.operator.name(),
            range.min,
            range.max,
            100.0 * found.clipped,
            noise,
            found.stable_after
        );
    }
}

fn print_summary(conversion: &Conversion) {
    let calibration = &conversion.calibration;
    println!("method: {}, {} training images", calibration.method, calibration.samples);
    println!(
        "all ranges within {:.0} % of their final width after {} images",
        100.0 * STABLE,
        calibration.stable_after()
    );
    println!("{}", image::describe_arena(&conversion.network, &conversion.plan));
    println!("model image: {} bytes", conversion.image.len());
}

/// On the calibration images: a first look, not the measurement that `quantizer check` makes.
fn print_accuracy(comparison: &Comparison) {
    println!(
        "on these images: float {:.2} %, int8 {:.2} %, drop {:.3} points",
        100.0 * comparison.float_accuracy(),
        100.0 * comparison.int8_accuracy(),
        comparison.discordance().drop_points()
    );
}
