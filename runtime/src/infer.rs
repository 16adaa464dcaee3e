//! `runtime infer`: raw tensors in, raw tensors out.

use crate::threads::{Pool, ThreadsOption};
use anyhow::{Context, Result, bail};
use edge8::{Model, Threads};
use files::ModelImage;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Arguments {
    /// Model image (.edge8).
    model: PathBuf,
    /// int8 input tensors, channels last, any number back to back.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Where the int8 output tensors go, in the same order.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Write every layer's output for the first input to layer_NNN_OPERATOR.bin in this folder.
    #[arg(long, value_name = "DIR")]
    layers: Option<PathBuf>,
    #[command(flatten)]
    threads: ThreadsOption,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    files::check_output(&arguments.output)?;
    let file = ModelImage::open(&arguments.model)?;
    let model = file.parse()?;
    let inputs = files::read(&arguments.input)?;
    let length = model.input().shape.len();
    if inputs.len() % length != 0 {
        let name = arguments.input.display();
        bail!("{name} has {} bytes: a multiple of the input's {length} was expected", inputs.len());
    }
    if let Some(folder) = &arguments.layers {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let pool = arguments.threads.start()?;
    let outputs = pool.install(|| infer(&model, &pool, &inputs, arguments.layers.as_deref()))?;
    files::write(&arguments.output, &outputs)
}

/// The outputs for all inputs, back to back as those are; the layers of the first one go to a folder, if there is one.
fn infer(model: &Model<'_>, pool: &Pool, inputs: &[u8], folder: Option<&Path>) -> Result<Vec<u8>> {
    let mut arena = files::arena(model, pool.count())?;
    let mut output = vec![0; model.output().shape.len()];
    let mut outputs = Vec::new();
    for (index, input) in inputs.chunks_exact(model.input().shape.len()).enumerate() {
        let input: Vec<i8> = input.iter().map(|byte| *byte as i8).collect();
        match folder {
            Some(folder) if index == 0 => {
                let mut layers = vec![Vec::new(); model.operators().len()];
                model.run_on(pool, &input, &mut arena, &mut output, |computed| {
                    layers[computed.index].extend(bytes(computed.values));
                })?;
                write_layers(folder, model, &layers)?;
            }
            _ => model.run_on(pool, &input, &mut arena, &mut output, |_| ())?,
        }
        outputs.extend(bytes(&output));
    }
    Ok(outputs)
}

fn bytes(values: &[i8]) -> Vec<u8> {
    values.iter().map(|value| *value as u8).collect()
}

fn write_layers(folder: &Path, model: &Model<'_>, layers: &[Vec<u8>]) -> Result<()> {
    for (index, (operator, values)) in model.operators().zip(layers).enumerate() {
        files::write(&folder.join(format!("layer_{index:03}_{}.bin", operator.name())), values)?;
    }
    Ok(())
}
