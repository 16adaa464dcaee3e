//! Files: read with an upper limit, written so that a reader never sees half of one.

use crate::picture::GreyPicture;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Longest file that is read, in bytes: a 16-bit RGBA picture of 100 megapixels takes 800 MB uncompressed.
pub const MAX_LENGTH: u64 = 1 << 30;

/// Reads a whole file that is not empty.
///
/// # Errors
/// If it cannot be read, is empty, a folder, or longer than [`MAX_LENGTH`].
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let name = path.display();
    let metadata = fs::metadata(path).with_context(|| format!("cannot open {name}"))?;
    if metadata.is_dir() {
        bail!("{name} is a folder: give a file");
    }
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    file.take(MAX_LENGTH + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    if bytes.is_empty() {
        bail!("{name} is empty");
    }
    if bytes.len() as u64 > MAX_LENGTH {
        bail!("{name} has more than {MAX_LENGTH} bytes, which is too long");
    }
    Ok(bytes)
}

/// Reads a PNG or JPEG file.
///
/// # Errors
/// As [`read`] and [`GreyPicture::decode`].
pub fn read_picture(path: &Path) -> Result<GreyPicture> {
    GreyPicture::decode(&read(path)?).with_context(|| path.display().to_string())
}

/// Writes `bytes` to a temporary file beside `path`, then renames it: no reader ever sees half a file.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut builder = tempfile::Builder::new();
        // A temporary file is for its owner alone; a model is for whoever may read the folder.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(".edge8-").tempfile_in(folder)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_files_are_read_and_others_named() {
        let folder = std::env::temp_dir().join(format!("edge8-files-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        write(&folder.join("a"), b"abc").unwrap();
        write(&folder.join("a"), b"abcd").unwrap();
        assert_eq!(read(&folder.join("a")).unwrap(), b"abcd");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert!(read(&folder).unwrap_err().to_string().contains("is a folder"));
        assert!(read(&folder.join("b")).unwrap_err().to_string().contains("cannot open"));
        assert!(write(&folder.join("none/a"), b"").is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
