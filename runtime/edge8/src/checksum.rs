//! CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320), over the image and over each layer's output.

use crate::slices::not_unrolled;

/// Remainders of 6 bits: 256 bytes of table, small enough for the smallest device.
const TABLE: [u32; 64] = table();

const fn table() -> [u32; 64] {
    let mut table = [0; 64];
    let mut bits = 0;
    while bits < 64 {
        let mut remainder = bits as u32;
        let mut bit = 0;
        while bit < 6 {
            remainder = (remainder >> 1) ^ (0xEDB8_8320 & (remainder & 1).wrapping_neg());
            bit += 1;
        }
        table[bits] = remainder;
        bits += 1;
    }
    table
}

/// The remainder once its 6 lowest bits have been taken out of it.
#[inline(always)]
const fn six(crc: u32) -> u32 {
    (crc >> 6) ^ TABLE[(crc & 63) as usize]
}

/// The same of 2 bits: 6 of which the first 4 are zero.
#[inline(always)]
const fn two(crc: u32) -> u32 {
    (crc >> 2) ^ TABLE[((crc & 3) << 4) as usize]
}

/// A CRC-32 that takes its bytes in pieces.
#[derive(Clone, Copy, Debug)]
pub struct Crc32(u32);

impl Default for Crc32 {
    fn default() -> Self {
        Self(Self::START)
    }
}

/// The remainder `crc` continued with `bytes`, at compile time: there a step less counts more than a table less.
pub(crate) const fn constant(mut crc: u32, bytes: &[u8]) -> u32 {
    const BYTES: [u32; 256] = {
        let (mut table, mut byte) = ([0; 256], 0);
        while byte < 256 {
            table[byte] = two(six(byte as u32));
            byte += 1;
        }
        table
    };
    let mut index = 0;
    while index < bytes.len() {
        crc = crc >> 8 ^ BYTES[((crc ^ bytes[index] as u32) & 255) as usize];
        index += 1;
    }
    crc
}

impl Crc32 {
    /// The remainder before the first byte.
    pub(crate) const START: u32 = u32::MAX;

    /// The checksum of one piece.
    pub fn of(bytes: &[u8]) -> u32 {
        Self::default().update(bytes).value()
    }

    /// The checksum so far, continued with `bytes`.
    #[must_use]
    #[cfg_attr(device, inline(never))]
    pub fn update(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks();
        let crc = words.iter().fold(self.0, |crc, word| {
            not_unrolled();
            let crc = crc ^ u32::from_le_bytes(*word);
            two(six(six(six(six(six(crc))))))
        });
        Self(rest.iter().fold(crc, |crc, &byte| {
            not_unrolled();
            two(six(crc ^ u32::from(byte)))
        }))
    }

    /// The checksum of all bytes taken.
    pub fn value(self) -> u32 {
        !self.0
    }
}

/// The checksum of an image: CRC-32 of all its bytes, the checksum field itself read as zero.
///
/// Of an image shorter than its header it is the plain CRC-32.
pub fn image_checksum(image: &[u8]) -> u32 {
    let field = crate::format::header::CHECKSUM;
    match (image.get(..field), image.get(field.saturating_add(4)..)) {
        (Some(before), Some(after)) => Crc32::default().update(before).update(&[0; 4]).update(after).value(),
        _ => Crc32::of(image),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_check_value() {
        assert_eq!(Crc32::of(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn pieces_make_the_whole() {
        assert_eq!(Crc32::default().update(b"1234").update(b"56789").value(), Crc32::of(b"123456789"));
    }
}
