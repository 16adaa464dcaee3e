//! CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320), over the image and over each layer's output.

/// Remainders of the 16 half bytes: 64 bytes of table, small enough for the smallest device.
const TABLE: [u32; 16] = table();

const fn table() -> [u32; 16] {
    let mut table = [0; 16];
    let mut nibble = 0;
    while nibble < 16 {
        let mut remainder = nibble as u32;
        let mut bit = 0;
        while bit < 4 {
            remainder = (remainder >> 1) ^ (0xEDB8_8320 & (remainder & 1).wrapping_neg());
            bit += 1;
        }
        table[nibble] = remainder;
        nibble += 1;
    }
    table
}

/// A CRC-32 that takes its bytes in pieces.
#[derive(Clone, Copy, Debug)]
pub struct Crc32(u32);

impl Default for Crc32 {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Crc32 {
    /// The checksum of one piece.
    pub fn of(bytes: &[u8]) -> u32 {
        Self::default().update(bytes).value()
    }

    /// The checksum so far, continued with `bytes`.
    #[must_use]
    pub fn update(self, bytes: &[u8]) -> Self {
        let step = |crc: u32, nibble: u32| (crc >> 4) ^ TABLE[((crc ^ nibble) & 15) as usize];
        Self(bytes.iter().fold(self.0, |crc, &byte| step(step(crc, byte.into()), (byte >> 4).into())))
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
    let field = super::layout::header::CHECKSUM;
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
