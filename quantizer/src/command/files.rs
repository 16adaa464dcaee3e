//! Files that commands read.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder that was asked for, or the repository's own if the command runs in a checkout.
///
/// # Errors
/// If there is neither.
pub fn data_folder(asked: Option<&Path>, shipped: &str) -> Result<PathBuf> {
    let folder = asked.unwrap_or(Path::new(shipped));
    if folder.is_dir() {
        return Ok(folder.to_path_buf());
    }
    match asked {
        Some(folder) => {
            bail!("{} is no folder: pass one with MNIST's files or one folder per class", folder.display())
        }
        None => bail!("{shipped} is not here: pass --data, or run the command in edge8's checkout"),
    }
}

/// Reads a whole file.
///
/// # Errors
/// If it is a folder, or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        bail!("{} is a folder: give a file", path.display());
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
