//! MNIST's idx files: a big-endian header (magic, sizes), then one byte for each pixel or label.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use edge8::Framing;
use sha2::{Digest, Sha256};

use crate::dataset::{Dataset, frame_all, hex};

const IMAGES_MAGIC: u32 = 0x0803;
const LABELS_MAGIC: u32 = 0x0801;

/// No idx file of pictures or labels is larger than this once unpacked: a guard against gzip bombs.
const MAX_BYTES: u64 = 4 << 30;

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

impl Pair {
    /// Reads, checks and frames.
    pub(crate) fn load(&self, framing: Framing) -> Result<Dataset> {
        let images = read(&self.images)?;
        let labels = read(&self.labels)?;
        let ([count, height, width], pixels) = parse::<3>(&images, IMAGES_MAGIC)
            .with_context(|| format!("{} is not an idx file of pictures", self.images.display()))?;
        let ([label_count], classes) = parse::<1>(&labels, LABELS_MAGIC)
            .with_context(|| format!("{} is not an idx file of labels", self.labels.display()))?;
        ensure!(
            count == label_count,
            "{count} pictures but {label_count} labels in {}",
            self.labels.display()
        );
        ensure!(count > 0 && height > 0 && width > 0, "{} holds no picture", self.images.display());
        if let Some(label) = classes.iter().find(|&&label| label > 9) {
            anyhow::bail!("{} holds label {label}, expected 0 to 9", self.labels.display());
        }
        let area = height * width;
        let framed = frame_all(count, framing, |index| {
            let bytes = &pixels[index * area..][..area];
            Ok((width, height, bytes.into(), format!("picture {index} of {}", self.images.display())))
        })?;
        Ok(Dataset {
            side: framing.side.into(),
            images: framed,
            labels: classes.iter().map(|&label| label.into()).collect(),
            classes: (0..10).map(|digit| digit.to_string()).collect(),
            sha256: hex(&Sha256::new().chain_update(&images).chain_update(&labels).finalize()),
        })
    }
}

/// The file's bytes, unpacked if its name ends in `.gz`.
///
/// # Errors
/// If it cannot be read or unpacked.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut bytes = Vec::new();
    let result = if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::MultiGzDecoder::new(file).take(MAX_BYTES).read_to_end(&mut bytes)
    } else {
        file.take(MAX_BYTES).read_to_end(&mut bytes)
    };
    result.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// The `N` sizes of the header and the bytes after it.
fn parse<const N: usize>(bytes: &[u8], magic: u32) -> Result<([usize; N], &[u8])> {
    let words = bytes.as_chunks::<4>().0;
    ensure!(words.len() > N, "it has {} bytes, its header alone needs {}", bytes.len(), 4 * (N + 1));
    let found = u32::from_be_bytes(words[0]);
    ensure!(found == magic, "it starts with {found:#010x}, expected {magic:#010x}");
    let sizes: [usize; N] = std::array::from_fn(|index| u32::from_be_bytes(words[index + 1]) as usize);
    let expected = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let data = &bytes[4 * (N + 1)..];
    ensure!(expected == Some(data.len()), "its sizes {sizes:?} do not fit its {} bytes of data", data.len());
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

    #[test]
    fn the_calibration_slice_loads_framed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../trainer/data/calibration");
        let data = crate::load_train(&folder, Framing::mnist(32)).unwrap();
        assert_eq!((data.len(), data.side, data.images.len()), (1024, 32, 1024 * 32 * 32));
        assert_eq!(data.labels[..6], [5, 0, 4, 1, 9, 2]);
        assert!((0..data.len()).all(|index| data.image(index).iter().any(|&byte| byte > 128)));
    }
}
