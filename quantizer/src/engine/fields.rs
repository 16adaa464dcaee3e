//! How numbers stand in a model image.

use anyhow::{Context, Result};

/// A size as the format stores it.
pub(crate) fn size(value: usize) -> Result<u32> {
    u32::try_from(value).with_context(|| format!("{value} bytes: the format holds at most {}", u32::MAX))
}

/// Overwrites bytes at an offset.
pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}
