//! `quantizer compare`.

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use files::{Kind, ModelImage};
use quantizer::compare::{Dump, Other, compare, inputs};
use quantizer::quantize::Network;
use quantizer::{image, tflite};
use std::path::{Path, PathBuf};

/// Run the same inputs through two int8 models, or a model and another engine's tensors, and explain what differs; exit
/// code 1 if something cannot be explained.
#[derive(Args)]
pub struct Arguments {
    /// A model: .edge8 or .tflite
    a: PathBuf,
    /// Another model, or an engine's tensors: .npz, as quantizer/python/dump_litert.py writes it
    b: PathBuf,
    /// Inputs: an .npz file with an array "input", or raw int8 values [default: those of B's .npz, or random ones]
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Number of random inputs: all -128, all 127, a mixture of both, then any
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    samples: u32,
    /// Seed of the random inputs
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// One JSON object on the last line of stdout, everything else on stderr
    #[arg(long)]
    json: bool,
}

/// Runs the command; whether B equals A or all differences are explained.
///
/// # Errors
/// If a file cannot be read, or A, B and the inputs do not belong together.
pub fn run(arguments: &Arguments) -> Result<bool> {
    let a = network(&arguments.a)?;
    let (values, source, comparison);
    if Kind::of_file(&arguments.b)? == Kind::Zip {
        let bytes = files::read(&arguments.b)?;
        let dump = Dump::read(&bytes).with_context(|| arguments.b.display().to_string())?;
        ensure!(arguments.input.is_none(), "{} has its own inputs: drop --input", arguments.b.display());
        values = inputs::cut(&dump.input, len(&a)).with_context(|| arguments.b.display().to_string())?;
        source = arguments.b.display().to_string();
        comparison = compare(&a, Other::Dump(&dump), &values)?;
    } else {
        let b = network(&arguments.b)?;
        (values, source) = chosen(arguments, len(&a))?;
        comparison = compare(&a, Other::Network(&b), &values)?;
    }
    let report =
        format!("inputs: {} of {source}\n{}\n{}\n", values.len(), comparison.table(), comparison.verdict());
    if arguments.json {
        eprint!("{report}");
        println!("{}", comparison.json());
    } else {
        print!("{report}");
    }
    Ok(comparison.passed())
}

/// The network of a model of either format.
fn network(path: &Path) -> Result<Network> {
    let name = || path.display().to_string();
    match Kind::of_file(path)? {
        Kind::TfLite => Ok(tflite::read(&files::read(path)?).with_context(name)?.network),
        Kind::ModelImage => image::read(&ModelImage::open(path)?.parse()?).with_context(name),
        kind => bail!("{} is {kind}, neither .edge8 nor .tflite", path.display()),
    }
}

/// The number of values of an input.
fn len(network: &Network) -> usize {
    network.tensors[0].shape.volume()
}

/// The inputs for two models, and where they come from.
fn chosen(arguments: &Arguments, len: usize) -> Result<(Vec<Vec<i8>>, String)> {
    match &arguments.input {
        Some(path) => {
            let name = path.display().to_string();
            Ok((inputs::from_file(&files::read(path)?, len).with_context(|| name.clone())?, name))
        }
        None => {
            let values = inputs::random(len, arguments.samples as usize, arguments.seed);
            Ok((values, format!("random values, seed {}", arguments.seed)))
        }
    }
}
