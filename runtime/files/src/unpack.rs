//! How much a packed file may become: a small file must not claim all memory.

use anyhow::{Result, ensure};
use std::io::Read;

/// Most bytes that any file unpacks to.
const MOST: u64 = 4 << 30;

/// Bytes that every file may unpack to, however short it is.
const ALWAYS: u64 = 64 << 20;

/// How many bytes each packed byte may become beyond that: deflate reaches 1032 on zeros, pictures and weights less than 10.
const RATIO: u64 = 200;

/// Most bytes that `packed` bytes may unpack to.
pub(crate) fn limit(packed: u64) -> u64 {
    packed.saturating_mul(RATIO).clamp(ALWAYS, MOST)
}

/// All that a reader gives for a file of `packed` bytes.
///
/// # Errors
/// If it cannot be read, or gives more than such a file may unpack to.
pub(crate) fn read(reader: impl Read, packed: u64) -> Result<Vec<u8>> {
    let limit = limit(packed);
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= limit,
        "its {packed} bytes unpack to more than {limit}: it is damaged, or made to fill the memory"
    );
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::{GzDecoder, GzEncoder};

    /// Zeros without end would fill the memory; 100 MB of them pack to 100 KB.
    #[test]
    fn a_bomb_ends_at_the_limit() {
        let mut bomb = Vec::new();
        GzEncoder::new(std::io::repeat(0).take(100 << 20), flate2::Compression::best())
            .read_to_end(&mut bomb)
            .unwrap();
        let error = read(GzDecoder::new(&bomb[..]), bomb.len() as u64).unwrap_err().to_string();
        assert!(bomb.len() < 200_000 && error.contains("67108864"), "{error}");
        assert_eq!(limit(u64::MAX), MOST);
        assert_eq!(read(&b"abc"[..], 3).unwrap(), b"abc");
    }
}
