//! Where a JPEG ends.
//!
//! A JPEG is a row of markers, each `0xff` and a code. Most begin a segment with its length; a scan's segment is followed by
//! entropy-coded bytes that end at the next marker. In them, `0xff 0x00` is a stuffed byte and `0xff 0xd0` to `0xd7` are
//! restarts. What follows the end-of-image marker belongs to others: the film of a motion photo, further frames, zeros.

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// The bytes up to and with the end-of-image marker; [`None`] if there is no such marker: the decoder would fill the rest
/// with grey.
pub(crate) fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let mut at = bytes.starts_with(&[0xff, START_OF_IMAGE]).then_some(2)?;
    loop {
        let (code, after) = marker(bytes, at)?;
        at = match code {
            END_OF_IMAGE => return bytes.get(..after),
            // They stand alone: restarts, a second start, and the code for temporary use.
            0x01 | 0xd0..=START_OF_IMAGE => after,
            START_OF_SCAN => scan_end(bytes, segment_end(bytes, after)?)?,
            _ => segment_end(bytes, after)?,
        };
    }
}

/// The code of the next marker and where it ends. Any number of `0xff` may stand before the code; bytes between segments that
/// are none of a marker are skipped, as decoders do.
fn marker(bytes: &[u8], from: usize) -> Option<(u8, usize)> {
    let first = from + bytes.get(from..)?.iter().position(|&byte| byte == 0xff)?;
    let code = first + bytes.get(first..)?.iter().position(|&byte| byte != 0xff)?;
    Some((bytes[code], code + 1))
}

/// Where the segment ends whose length lies at `at`.
fn segment_end(bytes: &[u8], at: usize) -> Option<usize> {
    let length: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    let end = at + usize::from(u16::from_be_bytes(length)).max(2);
    (end <= bytes.len()).then_some(end)
}

/// The marker that ends the entropy-coded bytes from `from` on.
fn scan_end(bytes: &[u8], from: usize) -> Option<usize> {
    let ends = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    Some(from + bytes.get(from..)?.windows(2).position(ends)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header, a table, two scans with a stuffed byte, a restart and a fill byte, as in a progressive file; the first segment
    /// holds a whole JPEG, as thumbnails do.
    const PROGRESSIVE: &[u8] = b"\xff\xd8\xff\xe1\x00\x06\xff\xd8\xff\xd9\xff\xc4\x00\x03\x07\
        \xff\xda\x00\x03\x01\x12\xff\x00\x34\xff\xd0\x56\xff\xff\xc4\x00\x03\x08\
        \xff\xda\x00\x02\x78\xff\xd9";

    #[test]
    fn what_follows_the_end_is_no_part() {
        let film = b"\x00\x00\x00\x18ftypmp42 \xff\xda\x00\x02 \xff\xd8 and frames";
        for rest in [&[][..], &[0; 100], film, PROGRESSIVE] {
            assert_eq!(whole(&[PROGRESSIVE, rest].concat()), Some(PROGRESSIVE));
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_not_whole() {
        for length in 0..PROGRESSIVE.len() {
            assert_eq!(whole(&PROGRESSIVE[..length]), None, "cut to {length} bytes");
        }
    }
}
