//! Files: read with an upper limit, written so that a reader never sees half of one.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// Longest file that is read, in bytes: a 16-bit RGBA picture of 100 megapixels takes 800 MB uncompressed.
pub const MAX_LENGTH: u64 = 1 << 30;

/// Reads a whole file that is not empty.
///
/// # Errors
/// If it cannot be read, is empty, a folder, or longer than [`MAX_LENGTH`].
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = start(path, MAX_LENGTH + 1)?;
    if bytes.len() as u64 > MAX_LENGTH {
        bail!("{} has more than {MAX_LENGTH} bytes, which is too long", path.display());
    }
    Ok(bytes)
}

/// The first bytes of a file that is not empty, at most `length`.
pub(crate) fn head(path: &Path, length: usize) -> Result<Vec<u8>> {
    start(path, length as u64)
}

fn start(path: &Path, length: u64) -> Result<Vec<u8>> {
    let name = path.display();
    let metadata = fs::metadata(path).with_context(|| format!("cannot open {name}"))?;
    if metadata.is_dir() {
        bail!("cannot read {name}: it is a folder, give a file");
    }
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    file.take(length).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    if bytes.is_empty() {
        bail!("{name} is empty");
    }
    Ok(bytes)
}

/// Writes `bytes` to a temporary file beside `path`, then renames it: no reader ever sees half a file.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> io::Result<()> {
        let mut file = temporary(path)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Finds out before the work whether [`write()`] can write its result.
///
/// # Errors
/// If `path` is a folder, or lies in one that is missing or may not be written into.
pub fn check_output(path: &Path) -> Result<()> {
    if path.is_dir() {
        bail!("cannot write {}: it is a folder, give a file", path.display());
    }
    let folder = folder(path);
    if !folder.is_dir() {
        bail!("cannot write {}: there is no folder {}", path.display(), folder.display());
    }
    temporary(path).map(drop).with_context(|| format!("cannot write {}", path.display()))
}

/// The folder that `path` lies in.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file in the folder that `path` lies in.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // A temporary file is for its owner alone; a model is for whoever may read the folder.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.prefix(".edge8-").tempfile_in(folder(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_files_are_read_and_others_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write(&path("a"), b"abc").unwrap();
        write(&path("a"), b"abcd").unwrap();
        assert_eq!(read(&path("a")).unwrap(), b"abcd");
        assert_eq!(head(&path("a"), 2).unwrap(), b"ab");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(read(folder.path()).unwrap_err().to_string().contains("is a folder"));
        assert!(read(&path("b")).unwrap_err().to_string().contains("cannot open"));
        assert!(write(&path("none/a"), b"").is_err());
    }

    #[test]
    fn where_nothing_can_be_written_is_known_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        check_output(&path("new")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
        assert!(check_output(folder.path()).unwrap_err().to_string().contains("is a folder"));
        fs::write(path("file"), "").unwrap();
        for wrong in ["missing/a", "file/a"] {
            assert!(check_output(&path(wrong)).unwrap_err().to_string().contains(wrong));
        }
    }
}
