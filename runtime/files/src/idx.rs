//! MNIST's idx files: a big-endian header (magic, sizes), then one byte for each pixel or label.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::unpack;
use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

const IMAGES_MAGIC: u32 = 0x0803;
const LABELS_MAGIC: u32 = 0x0801;

/// A file of pictures and one of their labels.
pub(crate) struct Pair {
    images: PathBuf,
    labels: PathBuf,
}

/// The two files that start with `prefix`, packed or not.
pub(crate) fn find(folder: &Path, prefix: &str) -> Option<Pair> {
    let file = |name: String| {
        [format!("{name}.gz"), name].into_iter().map(|name| folder.join(name)).find(|path| path.is_file())
    };
    let images = file(format!("{prefix}-images-idx3-ubyte"))?;
    let labels = file(format!("{prefix}-labels-idx1-ubyte"))?;
    Some(Pair { images, labels })
}

/// The two files' bytes.
#[derive(Clone, Debug)]
pub(crate) struct Digits {
    path: PathBuf,
    /// Rows and columns of each picture.
    pub(crate) size: [usize; 2],
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl Pair {
    /// Reads and checks.
    pub(crate) fn read(self) -> Result<Digits> {
        let images = read(&self.images)?;
        let labels = read(&self.labels)?;
        let ([count, height, width], _) = parse::<3>(&images, IMAGES_MAGIC)
            .with_context(|| format!("{} is not an idx file of pictures", self.images.display()))?;
        let ([label_count], _) = parse::<1>(&labels, LABELS_MAGIC)
            .with_context(|| format!("{} is not an idx file of labels", self.labels.display()))?;
        ensure!(
            count == label_count,
            "{count} pictures but {label_count} labels in {}",
            self.labels.display()
        );
        ensure!(count > 0 && height > 0 && width > 0, "{} holds no picture", self.images.display());
        Ok(Digits { path: self.images, size: [height, width], images, labels })
    }
}

impl Digits {
    /// The labels, one for each picture.
    pub(crate) fn labels(&self) -> &[u8] {
        &self.labels[header_len(1)..]
    }

    /// One picture's bytes, row-major.
    pub(crate) fn pixels(&self, index: usize) -> &[u8] {
        let area = self.size[0] * self.size[1];
        &self.images[header_len(3) + index * area..][..area]
    }

    /// The file that the pictures are in.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of both files, unpacked.
    pub(crate) fn sha256(&self) -> Vec<u8> {
        Sha256::new().chain_update(&self.images).chain_update(&self.labels).finalize().to_vec()
    }
}

/// The file's bytes, unpacked if they are packed with gzip.
///
/// # Errors
/// If it cannot be read or unpacked, or unpacks to more than such a file may.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let read = || {
        let file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        let mut reader = BufReader::new(file);
        if reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
            unpack::read(flate2::bufread::MultiGzDecoder::new(reader), length)
        } else {
            unpack::read(reader, length)
        }
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}

/// Bytes of a header with so many sizes.
const fn header_len(sizes: usize) -> usize {
    4 * (sizes + 1)
}

/// The `N` sizes of the header and the bytes after it.
fn parse<const N: usize>(bytes: &[u8], magic: u32) -> Result<([usize; N], &[u8])> {
    let words = bytes.as_chunks::<4>().0;
    ensure!(words.len() > N, "it has {} bytes, its header alone needs {}", bytes.len(), header_len(N));
    let found = u32::from_be_bytes(words[0]);
    ensure!(found == magic, "it starts with {found:#010x}, expected {magic:#010x}");
    let sizes: [usize; N] = std::array::from_fn(|index| u32::from_be_bytes(words[index + 1]) as usize);
    let expected = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let data = &bytes[header_len(N)..];
    ensure!(
        expected == Some(data.len()),
        "it was cut or padded: its sizes {sizes:?} do not fit its {} bytes of data",
        data.len()
    );
    Ok((sizes, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(magic: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let words = [&[magic], sizes].concat();
        [words.iter().flat_map(|word| word.to_be_bytes()).collect(), data.to_vec()].concat()
    }

    #[test]
    fn headers_are_checked() {
        let good = header(IMAGES_MAGIC, &[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let (sizes, data) = parse::<3>(&good, IMAGES_MAGIC).unwrap();
        assert_eq!((sizes, data), ([2, 1, 3], &[1, 2, 3, 4, 5, 6][..]));
        for length in 0..good.len() {
            assert!(parse::<3>(&good[..length], IMAGES_MAGIC).is_err(), "cut to {length} bytes");
        }
        assert!(parse::<3>(&good, LABELS_MAGIC).is_err());
        assert!(parse::<3>(&header(IMAGES_MAGIC, &[u32::MAX; 3], &[0]), IMAGES_MAGIC).is_err());
    }
}
