//! `trainer export`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use mobilenet::ModelFile;
use mobilenet::onnx;
use trainer::network::Network;

/// Options of `trainer export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A `model.safetensors` of `trainer fit`.
    model: PathBuf,
    /// Where to write the network as float ONNX.
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
}

impl Export {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        files::check_output(&self.onnx)?;
        let file = ModelFile::load(&self.model)?;
        // What the trainer itself would not run is not handed to others.
        Network::from_file(&file)?;
        files::write(&self.onnx, &onnx::export(&file)?)?;
        println!("written: {}", self.onnx.display());
        Ok(ExitCode::SUCCESS)
    }
}
