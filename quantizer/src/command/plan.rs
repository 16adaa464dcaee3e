//! `quantizer plan`.

use anyhow::{Context, Result, ensure};
use clap::Args;
use edge8::Model;
use edge8::format::ALIGNMENT;
use files::ModelImage;
use quantizer::image;
use quantizer::plan::NetworkPlan;
use std::path::PathBuf;

/// Give a model image a larger arena: where there is room, more rows are computed at a time, which takes less time.
#[derive(Args)]
pub struct Arguments {
    /// The model image
    model: PathBuf,
    /// Bytes that the arena may have; as few as there must be are what every image has at first
    #[arg(long, value_name = "BYTES")]
    arena: usize,
    /// Where to write the model image [default: over MODEL]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If the image is invalid, or there is no such plan.
pub fn run(arguments: &Arguments) -> Result<()> {
    let file = ModelImage::open(&arguments.model)?;
    let output = arguments.output.as_ref().unwrap_or(&arguments.model);
    files::check_output(output)?;
    let name = arguments.model.display();
    let model = file.parse()?;
    let network = image::read(&model).with_context(|| name.to_string())?;
    let plan = NetworkPlan::within(&network, ALIGNMENT, arguments.arena);
    ensure!(
        plan.arena <= arguments.arena,
        "{name} needs an arena of {} bytes, {} were given: give more",
        plan.arena,
        arguments.arena
    );
    let planned = image::write_planned(&network, &plan, &image::optional_sections(&model))?;
    let (after, before) = (Model::parse(&planned)?.steps().count(), model.steps().count());
    files::write(output, &planned)?;
    println!("arena: {} bytes, before {}", plan.arena, model.arena_len());
    println!("steps: {after}, before {before}");
    println!("written: {}", output.display());
    Ok(())
}
