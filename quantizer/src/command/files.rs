//! Files that commands read and write.

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
/// If it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file under a temporary name in the same folder, then renames it: nobody ever sees half of it.
///
/// # Errors
/// If the folder cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
    let temporary = path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one that matters.
        let _ = fs::remove_file(&temporary);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}
