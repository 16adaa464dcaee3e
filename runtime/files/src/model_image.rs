//! Model images, and the memory that a run takes: no file decides alone how much that is.

use crate::cache_aligned::CacheAligned;
use crate::file;
use crate::kind::Kind;
use anyhow::{Context, Result, ensure};
use edge8::{Model, Tensor};
use std::path::Path;

/// Most bytes of an arena, far beyond any device.
const MOST: usize = 1 << 30;

/// Scratch bytes that every image may have, beyond what its operators must have.
const SCRATCH: usize = 64 << 10;

/// Tensors begin at multiples of at most this.
const ALIGNMENT: usize = 64;

/// The bytes of a model image, where a cache line begins.
#[derive(Debug)]
pub struct ModelImage {
    name: String,
    bytes: CacheAligned,
}

impl ModelImage {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read or is of another kind: says which, and how to make a model image of it.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = file::read(path)?;
        Kind::of(&bytes).require(&[Kind::ModelImage], path)?;
        Self::new(path.display().to_string(), &bytes)
    }

    /// Bytes from elsewhere; `name` is for messages.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub fn new(name: String, bytes: &[u8]) -> Result<Self> {
        let copy = CacheAligned::copy(bytes);
        let bytes =
            copy.with_context(|| format!("{name} has {} bytes, for which there is no memory", bytes.len()))?;
        Ok(Self { name, bytes })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The model.
    ///
    /// # Errors
    /// If the image is invalid, or wants an arena that its tensors and kernels cannot need.
    pub fn parse(&self) -> Result<Model<'_>> {
        let model = Model::parse(&self.bytes).with_context(|| self.name.clone())?;
        check_arena(&model).with_context(|| self.name.clone())?;
        Ok(model)
    }
}

/// Memory for a run on some threads.
///
/// # Errors
/// If there is not so much.
pub fn arena(model: &Model<'_>, threads: usize) -> Result<CacheAligned> {
    let len = model.arena_len_for(threads);
    CacheAligned::zeros(len).with_context(|| format!("the model wants an arena of {len} bytes"))
}

/// Any plan has room for all tensors at once, one behind the other, and for what kernels work in.
fn check_arena(model: &Model<'_>) -> Result<()> {
    let scratch = model.operators().map(|operator| operator.scratch_len()).max().unwrap_or(0);
    // The planner gives some kernels up to twice what they must have.
    let scratch = scratch.saturating_mul(2).saturating_add(SCRATCH);
    let bytes = |tensor: &Tensor| tensor.range().len().saturating_add(ALIGNMENT);
    let tensors = model.operators().map(|operator| bytes(operator.output()));
    let tensors = tensors.fold(bytes(&model.input()), usize::saturating_add);
    let (found, most) = (model.arena_len(), scratch.saturating_add(tensors));
    ensure!(
        found <= most && model.scratch_len() <= scratch,
        "it wants an arena of {found} bytes, {} of them scratch; all its tensors together need at most {tensors}, its \
         kernels {scratch}: it is damaged or forged",
        model.scratch_len()
    );
    ensure!(found <= MOST, "it wants an arena of {found} bytes: at most {MOST} are given");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge8::format::header;
    use edge8::internal::image_checksum;

    fn shipped(name: &str) -> Vec<u8> {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
        std::fs::read(models.join(name)).unwrap()
    }

    /// The image with other words in its header, and the checksum that belongs to it.
    fn forged(words: &[(usize, u32)]) -> ModelImage {
        let mut image = shipped("mnist_small.edge8");
        for &(at, word) in words {
            image[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        let checksum = image_checksum(&image);
        image[header::CHECKSUM..header::CHECKSUM + 4].copy_from_slice(&checksum.to_le_bytes());
        ModelImage::new("forged".into(), &image).unwrap()
    }

    #[test]
    fn a_forged_image_does_not_get_4_gib() {
        for name in ["mnist.edge8", "mnist_small.edge8"] {
            let image = ModelImage::new(name.into(), &shipped(name)).unwrap();
            assert_eq!(arena(&image.parse().unwrap(), 1).unwrap().len(), image.parse().unwrap().arena_len());
        }
        let image = forged(&[(header::ARENA_LEN, u32::MAX)]);
        assert_eq!(Model::parse(image.bytes()).unwrap().arena_len(), u32::MAX as usize, "valid but for this");
        let error = format!("{:#}", image.parse().unwrap_err());
        assert!(error.contains("forged: it wants an arena of 4294967295 bytes"), "{error}");
    }
}
