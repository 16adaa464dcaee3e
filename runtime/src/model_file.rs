//! The model image: the one inside the program, or a file.

use crate::cache_aligned::CacheAligned;
use anyhow::{Context, Result};
use edge8::Model;
use std::path::{Path, PathBuf};

static DEFAULT: &[u8] = include_bytes!("../models/mnist.edge8");

/// The option that every command has.
#[derive(clap::Args)]
pub struct ModelOption {
    /// Model image (.edge8) to use instead of the one inside the program.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

impl ModelOption {
    pub fn load(&self) -> Result<ModelFile> {
        match &self.model {
            Some(path) => ModelFile::open(path),
            None => ModelFile::new("the model inside the program".into(), DEFAULT),
        }
    }
}

/// Memory for a run on some threads; an error, and no abort, for an image that names more than there is.
pub fn arena(model: &Model<'_>, threads: usize) -> Result<CacheAligned> {
    let len = model.arena_len_for(threads);
    CacheAligned::zeros(len).with_context(|| format!("the model wants an arena of {len} bytes"))
}

/// The bytes of a model image.
pub struct ModelFile {
    name: String,
    pub bytes: CacheAligned,
}

impl ModelFile {
    pub fn open(path: &Path) -> Result<Self> {
        Self::new(path.display().to_string(), &files::read(path)?)
    }

    fn new(name: String, bytes: &[u8]) -> Result<Self> {
        let copy = CacheAligned::copy(bytes);
        let bytes =
            copy.with_context(|| format!("{name} has {} bytes, for which there is no memory", bytes.len()))?;
        Ok(Self { name, bytes })
    }

    pub fn parse(&self) -> Result<Model<'_>> {
        Model::parse(&self.bytes).with_context(|| self.name.clone())
    }
}
