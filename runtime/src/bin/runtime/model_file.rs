//! The model image: the one inside the program, or a file.

use crate::files;
use anyhow::{Context, Result};
use runtime::Model;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

static DEFAULT: &[u8] = include_bytes!("../../../models/mnist.edge8");

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
            None => Ok(ModelFile { name: "the model inside the program".into(), bytes: DEFAULT.into() }),
        }
    }
}

/// Memory for a run; an error, and no abort, for an image that names more than there is.
pub fn arena(model: &Model<'_>) -> Result<Vec<u8>> {
    let mut arena = Vec::new();
    let reserved = arena.try_reserve_exact(model.arena_len());
    reserved.with_context(|| format!("the model wants an arena of {} bytes", model.arena_len()))?;
    arena.resize(model.arena_len(), 0);
    Ok(arena)
}

/// The bytes of a model image.
pub struct ModelFile {
    name: String,
    pub bytes: Cow<'static, [u8]>,
}

impl ModelFile {
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { name: path.display().to_string(), bytes: files::read(path)?.into() })
    }

    pub fn parse(&self) -> Result<Model<'_>> {
        Model::parse(&self.bytes).with_context(|| self.name.clone())
    }
}
