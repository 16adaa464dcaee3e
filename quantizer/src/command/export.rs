//! `quantizer export`.

use anyhow::{Context, Result};
use clap::{ArgGroup, Args};
use files::ModelImage;
use quantizer::{image, onnx, tflite};
use std::path::{Path, PathBuf};

/// Write the int8 network of a model image for other tools.
#[derive(Args)]
#[command(group(ArgGroup::new("format").required(true).multiple(true)))]
pub struct Arguments {
    /// The model image
    model: PathBuf,
    /// Write a full-integer int8 .tflite file, with labels and the other sections as metadata
    #[arg(long, value_name = "FILE", group = "format")]
    tflite: Option<PathBuf>,
    /// Write an ONNX file with QuantizeLinear and DequantizeLinear around every operator
    #[arg(long, value_name = "FILE", group = "format")]
    onnx: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If the image is invalid, or the format cannot say what it computes.
pub fn run(arguments: &Arguments) -> Result<()> {
    let outputs = [&arguments.tflite, &arguments.onnx];
    outputs.into_iter().flatten().try_for_each(|output| files::check_output(output))?;
    let file = ModelImage::open(&arguments.model)?;
    let name = arguments.model.display();
    let model = file.parse()?;
    let network = image::read(&model).with_context(|| name.to_string())?;
    if let Some(output) = &arguments.tflite {
        let file =
            tflite::write(&network, &image::optional_sections(&model)).with_context(|| name.to_string())?;
        write(output, &file)?;
    }
    if let Some(output) = &arguments.onnx {
        let file = onnx::write(&network).with_context(|| name.to_string())?;
        write(output, &file)?;
    }
    Ok(())
}

fn write(output: &Path, file: &[u8]) -> Result<()> {
    files::write(output, file)?;
    println!("written: {} ({} bytes)", output.display(), file.len());
    Ok(())
}
