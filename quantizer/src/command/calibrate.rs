//! `quantizer calibrate`.

use super::files;
use anyhow::Result;
use clap::Args;
use quantizer::calibrate::{Method, STABLE};
use quantizer::{Conversion, convert, framing, image, samples};
use std::path::PathBuf;
use trainer::data;
use trainer::file::{ModelFile, write_atomically};

/// Training images that the repository ships for calibration.
const SHIPPED: &str = "trainer/data/calibration";

/// Turn a float network into an int8 model image.
#[derive(Args)]
pub struct Arguments {
    /// The float network, as `trainer fit` writes it
    model: PathBuf,
    /// Quantise to int8, the only precision so far
    #[arg(long, required = true)]
    int8: bool,
    /// Folder with training images: MNIST's files, or one folder per class [default: trainer/data/calibration]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Number of training images to find the ranges on
    #[arg(long, default_value_t = 512)]
    samples: usize,
    /// How the ranges are chosen
    #[arg(long, value_enum, default_value_t = Method::Mse)]
    method: Method,
    /// Where to write the model image [default: MODEL with the extension .edge8]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read or written, or the network cannot be quantised.
pub fn run(arguments: &Arguments) -> Result<()> {
    let folder = files::data_folder(arguments.data.as_deref(), SHIPPED)?;
    let file = ModelFile::load(&arguments.model)?;
    let dataset = data::load_train(&folder, framing(&file))?;
    let images = samples(&dataset, arguments.samples, file.preprocessing.scale as f32)?;
    let conversion = convert(&file, &images, arguments.method)?;
    let output = arguments.output.clone().unwrap_or_else(|| arguments.model.with_extension("edge8"));
    write_atomically(&output, &conversion.image)?;
    print_layers(&conversion);
    print_summary(&conversion);
    println!("written: {}", output.display());
    Ok(())
}

fn print_layers(conversion: &Conversion) {
    println!(
        "{:<20} {:<18} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "layer", "operator", "min", "max", "clipped", "SNR/dB", "stable"
    );
    for (layer, noise) in image::operators(&conversion.network).zip(&conversion.noise) {
        let found = &conversion.calibration.tensors[layer.output.index()];
        let range = conversion.network.tensor(layer.output).quantisation.range();
        println!(
            "{:<20} {:<18} {:>9.4} {:>9.4} {:>8.4}% {:>8.1} {:>8}",
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
    let plan = image::memory_plan(&conversion.network);
    println!("method: {}, {} training images", calibration.method, calibration.samples);
    println!(
        "all ranges within {:.0} % of their final width after {} images",
        100.0 * STABLE,
        calibration.stable_after()
    );
    println!("arena: {} bytes, lower bound {}", plan.arena, plan.lower_bound);
    println!("model image: {} bytes", conversion.image.len());
}
