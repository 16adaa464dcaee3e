//! Labelled pictures, framed to the network's input by the device's own pre-processing.

use crate::{folder, idx};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use edge8::Framing;
use edge8_preprocess::Picture;
use edge8_preprocess::digit::{Workspace, frame};
use rayon::prelude::*;

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

/// The training pictures in `folder`: MNIST's `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` (`.gz` or not),
/// or one subfolder of PNG or JPEG pictures for each class.
///
/// # Errors
/// Says what is missing, broken or blank.
pub fn load_train(folder: &Path, framing: Framing) -> Result<Dataset> {
    load(folder, "train", framing)
}

/// The test pictures in `folder`: MNIST's `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte` (`.gz` or not), or one
/// subfolder of PNG or JPEG pictures for each class.
///
/// # Errors
/// Says what is missing, broken or blank.
pub fn load_test(folder: &Path, framing: Framing) -> Result<Dataset> {
    load(folder, "t10k", framing)
}

fn load(folder: &Path, prefix: &str, framing: Framing) -> Result<Dataset> {
    ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    if let Some(pair) = idx::find(folder, prefix) {
        return pair.load(framing);
    }
    match folder::find(folder)? {
        Some(classes) => classes.load(framing),
        None => bail!(
            "{} holds neither {prefix}-images-idx3-ubyte(.gz) with {prefix}-labels-idx1-ubyte(.gz) nor one \
             subfolder of PNG or JPEG pictures for each class",
            folder.display()
        ),
    }
}

/// Frames pictures in parallel. `picture(i)` gives width, height, bytes and a name for messages.
pub(crate) fn frame_all<'a>(
    count: usize,
    framing: Framing,
    picture: impl Fn(usize) -> Result<(usize, usize, std::borrow::Cow<'a, [u8]>, String)> + Sync,
) -> Result<Vec<u8>> {
    let length = usize::from(framing.side).pow(2);
    let mut images = vec![0; count * length];
    images.par_chunks_exact_mut(length).enumerate().try_for_each_init(
        || Box::new(Workspace::new()),
        |workspace, (index, target)| -> Result<()> {
            let (width, height, bytes, name) = picture(index)?;
            Picture::new(width, height, &bytes)
                .and_then(|picture| frame(&picture, framing, workspace.bytes(), target))
                .with_context(|| name)
        },
    )?;
    Ok(images)
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
