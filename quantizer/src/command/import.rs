//! `quantizer import`.

use super::recipe::RecipeOptions;
use anyhow::{Context, Result};
use clap::Args;
use edge8::section;
use files::Kind;
use quantizer::quantize::Network;
use quantizer::tflite::Import;
use quantizer::{image, tflite};
use std::path::PathBuf;

/// Turn a full-integer int8 .tflite file into a model image.
#[derive(Args)]
pub struct Arguments {
    /// The .tflite file
    model: PathBuf,
    #[command(flatten, next_help_heading = "How pictures become the input")]
    recipe: RecipeOptions,
    /// Where to write the model image [default: MODEL with the extension .edge8]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If the file cannot be read, is damaged or holds something that is not supported.
pub fn run(arguments: &Arguments) -> Result<()> {
    let bytes = files::read(&arguments.model)?;
    Kind::of(&bytes).require(&[Kind::TfLite], &arguments.model)?;
    let output = arguments.output.clone().unwrap_or_else(|| arguments.model.with_extension("edge8"));
    files::check_output(&output)?;
    let name = arguments.model.display();
    let import = tflite::read(&bytes).with_context(|| name.to_string())?;
    let plan = image::memory_plan(&import.network);
    let sections = sections(&arguments.recipe, &import)?;
    let image = image::write_planned(&import.network, &plan, &sections);
    let image = image.with_context(|| name.to_string())?;
    files::write(&output, &image)?;
    print_layers(&import.network);
    println!("{}", image::describe_arena(&import.network, &plan));
    println!("model image: {} bytes, the .tflite file {}", image.len(), bytes.len());
    println!("written: {}", output.display());
    Ok(())
}

/// The optional sections: those of the file, and what the options say.
fn sections(options: &RecipeOptions, import: &Import) -> Result<Vec<(u32, Vec<u8>)>> {
    let network = &import.network;
    let mut sections = import.sections.clone();
    let mut put = |kind, content| {
        sections.retain(|(other, _)| *other != kind);
        sections.push((kind, content));
    };
    if options.are_given() {
        let input = &network.tensors[0];
        let recipe = image::recipe(input, &options.preparation(input.shape)?, &options.normalisation()?)?;
        put(section::RECIPE, recipe);
    }
    if let Some(labels) = options.labels_for(network.tensor(network.output).shape.volume())? {
        put(section::LABELS, labels.join("\n").into_bytes());
    }
    Ok(sections)
}

fn print_layers(network: &Network) {
    println!("{:<18} {:>14} {:>12} {:>11} layer", "operator", "output", "scale", "zero point");
    for layer in image::operators(network) {
        let tensor = network.tensor(layer.output);
        println!(
            "{:<18} {:>14} {:>12.6} {:>11} {}",
            layer.operator.name(),
            tensor.shape.to_string(),
            tensor.quantisation.scale,
            tensor.quantisation.zero_point,
            layer.name
        );
    }
}
