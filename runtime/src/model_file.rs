//! The model image: the one inside the program, or a file.

use anyhow::Result;
use files::ModelImage;
use std::path::PathBuf;

static DEFAULT: &[u8] = include_bytes!("../models/mnist.edge8");

/// The option that every command has.
#[derive(clap::Args)]
pub struct ModelOption {
    /// Model image (.edge8) to use instead of the one inside the program.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

impl ModelOption {
    pub fn load(&self) -> Result<ModelImage> {
        match &self.model {
            Some(path) => ModelImage::open(path),
            None => ModelImage::new("the model inside the program".into(), DEFAULT),
        }
    }
}
