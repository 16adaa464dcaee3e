//! Labelled pictures, framed to the network's input by the device's own pre-processing.

use crate::left_out::LeftOut;
use crate::pictures::{Pictures, Set, Source};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use edge8::Framing;
use edge8_preprocess::digit::{Workspace, frame};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// Labelled pictures, each framed to `side * side` bytes: light ink on black.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Rows and columns of each picture.
    pub side: usize,
    /// The pictures one after the other, row-major.
    pub images: Vec<u8>,
    /// The class of each picture, below the number of classes.
    pub labels: Vec<u32>,
    /// Name of each class.
    pub classes: Vec<String>,
    /// SHA-256 of the source, in hexadecimal: of the unpacked idx files, or of the picture files in order.
    pub sha256: String,
}

impl Dataset {
    /// Frames pictures in parallel. Those that cannot be read, and blank ones, are left out.
    ///
    /// # Errors
    /// If the pictures have no classes or only one, or there is no memory for them.
    pub fn frame(pictures: &Pictures, framing: Framing) -> Result<(Self, LeftOut)> {
        let (labels, classes) = (pictures.labels()?, pictures.classes());
        ensure!(classes.len() >= 2, "there is only the class {classes:?}, expected at least two");
        let mut images = zeros(pictures.len(), framing)?;
        let results: Vec<Result<Vec<u8>>> = images
            .par_chunks_exact_mut(area(framing))
            .enumerate()
            .map_init(
                || Box::new(Workspace::new()),
                |workspace, (index, target)| {
                    pictures.with_source(index, |bytes, picture| {
                        frame(picture, framing, workspace.bytes(), target)?;
                        Ok(match pictures.source {
                            Source::Files(_) => Sha256::digest(bytes).to_vec(),
                            Source::Idx(_) => Vec::new(),
                        })
                    })
                },
            )
            .collect();
        let mut data = Self {
            side: framing.side.into(),
            images,
            labels: Vec::with_capacity(labels.len()),
            classes: classes.to_vec(),
            sha256: String::new(),
        };
        let (reasons, hash) = data.keep(labels, results);
        data.sha256 = hex(&match &pictures.source {
            Source::Idx(digits) => digits.sha256(),
            Source::Files(_) => hash,
        });
        Ok((data, LeftOut::new(pictures.len(), reasons)))
    }

    /// Moves the pictures that have a result together; the reasons of the others, and the hash of the results.
    fn keep(&mut self, labels: &[u32], results: Vec<Result<Vec<u8>>>) -> (Vec<String>, Vec<u8>) {
        let length = self.side * self.side;
        let mut reasons = Vec::new();
        let mut hash = Sha256::new();
        for (index, (&label, result)) in labels.iter().zip(results).enumerate() {
            match result {
                Ok(sum) => {
                    hash.update(sum);
                    self.images.copy_within(index * length..(index + 1) * length, self.labels.len() * length);
                    self.labels.push(label);
                }
                Err(error) => reasons.push(format!("{error:#}")),
            }
        }
        self.images.truncate(self.labels.len() * length);
        (reasons, hash.finalize().to_vec())
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The bytes of one picture, row-major.
    ///
    /// # Panics
    /// If `index` is not below [`Dataset::len`].
    pub fn image(&self, index: usize) -> &[u8] {
        let length = self.side * self.side;
        &self.images[index * length..][..length]
    }
}

/// The training pictures in `folder`, as [`Pictures::open`] finds them, all of them.
///
/// # Errors
/// Says what is missing, broken or blank.
pub fn load_train(folder: &Path, framing: Framing) -> Result<Dataset> {
    load(folder, Set::Training, framing)
}

/// The test pictures in `folder`, as [`Pictures::open`] finds them, all of them.
///
/// # Errors
/// Says what is missing, broken or blank.
pub fn load_test(folder: &Path, framing: Framing) -> Result<Dataset> {
    load(folder, Set::Test, framing)
}

fn load(folder: &Path, set: Set, framing: Framing) -> Result<Dataset> {
    let (data, left_out) = Dataset::frame(&Pictures::open(folder, set)?, framing)?;
    left_out.check(true)?;
    Ok(data)
}

/// Bytes of a framed picture.
fn area(framing: Framing) -> usize {
    usize::from(framing.side).pow(2).max(1)
}

/// Memory for framed pictures; an error, and no abort, where a file counts more than there is memory for.
fn zeros(count: usize, framing: Framing) -> Result<Vec<u8>> {
    let length = count.saturating_mul(area(framing));
    let mut bytes = Vec::new();
    let reserved = bytes.try_reserve_exact(length);
    reserved.with_context(|| format!("{count} pictures of {} bytes do not fit the memory", area(framing)))?;
    bytes.resize(length, 0);
    Ok(bytes)
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma};

    /// A folder with three pictures for each of two classes.
    fn bars_and_blocks() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (class, width) in [("bar", 4), ("block", 20)] {
            std::fs::create_dir(folder.path().join(class)).unwrap();
            for number in 0..3 {
                let picture = GrayImage::from_fn(60, 40, |x, y| {
                    let ink = x.abs_diff(30) < width && y.abs_diff(20) < 12 + number;
                    Luma([if ink { 20 } else { 230 }])
                });
                picture.save(folder.path().join(class).join(format!("{number}.png"))).unwrap();
            }
        }
        folder
    }

    #[test]
    fn one_subfolder_for_each_class() {
        let folder = bars_and_blocks();
        std::fs::write(folder.path().join("bar/notes.txt"), "no picture").unwrap();
        let data = load_train(folder.path(), Framing::mnist(32)).unwrap();
        assert_eq!(data.classes, ["bar", "block"]);
        assert_eq!(data.labels, [0, 0, 0, 1, 1, 1]);
        std::fs::write(folder.path().join("bar/3.png"), "broken").unwrap();
        let error = format!("{:#}", load_train(folder.path(), Framing::mnist(32)).unwrap_err());
        assert!(error.contains("3.png"), "{error}");
    }

    /// One broken and one blank picture, and one of another format, do not end the work; the others are as without them.
    #[test]
    fn what_cannot_be_read_is_left_out() {
        let folder = bars_and_blocks();
        let framing = Framing::mnist(28);
        let whole = load_test(folder.path(), framing).unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("bar/1a.png"), "broken").unwrap();
        GrayImage::from_pixel(30, 30, Luma([200])).save(path("block/0a.png")).unwrap();
        std::fs::write(path("block/9.webp"), b"RIFF\x24\0\0\0WEBPVP8 ").unwrap();
        let (data, left_out) =
            Dataset::frame(&Pictures::open(folder.path(), Set::Test).unwrap(), framing).unwrap();
        assert_eq!(data, whole);
        let text = left_out.to_string();
        assert!(text.starts_with("3 of 9 pictures left out:"), "{text}");
        for reason in
            ["1a.png: is not a picture", "0a.png: the picture is blank", "9.webp: is a WebP picture: convert"]
        {
            assert!(text.contains(reason), "{text}");
        }
    }

    #[test]
    fn the_calibration_slice_loads_framed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../trainer/data/calibration");
        let data = load_train(&folder, Framing::mnist(32)).unwrap();
        assert_eq!((data.len(), data.side, data.images.len()), (1024, 32, 1024 * 32 * 32));
        assert_eq!(data.labels[..6], [5, 0, 4, 1, 9, 2]);
        assert!((0..data.len()).all(|index| data.image(index).iter().any(|&byte| byte > 128)));
    }
}
