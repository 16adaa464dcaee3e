//! Memory that begins with a cache line: a vector that lies across two takes twice as long to load or to store.

use std::collections::TryReserveError;
use std::fmt;
use std::ops::{Deref, DerefMut, Range};

/// Bytes of a cache line, and of the longest vectors.
const LINE: usize = 64;

/// Bytes at an address that is a multiple of 64.
pub struct CacheAligned {
    bytes: Vec<u8>,
    used: Range<usize>,
}

impl CacheAligned {
    /// Zeros; an error, and no abort, where there is not so much memory.
    pub fn zeros(len: usize) -> Result<Self, TryReserveError> {
        let whole = len.saturating_add(LINE - 1);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(whole)?;
        bytes.resize(whole, 0);
        let start = bytes.as_ptr().align_offset(LINE).min(LINE - 1);
        Ok(Self { bytes, used: start..start + len })
    }

    /// A copy of bytes that may lie anywhere; errors as of [`zeros`](Self::zeros).
    pub fn copy(bytes: &[u8]) -> Result<Self, TryReserveError> {
        let mut copy = Self::zeros(bytes.len())?;
        copy.copy_from_slice(bytes);
        Ok(copy)
    }
}

impl fmt::Debug for CacheAligned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheAligned").field("len", &self.used.len()).finish_non_exhaustive()
    }
}

impl Deref for CacheAligned {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.used.clone()]
    }
}

impl DerefMut for CacheAligned {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used.clone()]
    }
}
