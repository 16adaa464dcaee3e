//! A camera's rows, scaled: that no panic can be reached there either, and that the bits are the host's.

use edge8::{Crc32, Fit, Sizing};
use edge8_preprocess::scale::{PixelFormat, Rows, Source, workspace_len};

/// Smaller than the source in one direction, larger in the other, so that both ways of scaling are taken.
const SIZING: Sizing = Sizing { height: 20, width: 10, channels: 3, fit: Fit::Stretch, fill: 99 };
const SOURCE: Source = Source { width: 24, height: 14, format: PixelFormat::Rgb565 };

/// The checksum of all fits, one after the other, as the host has it: there the same check runs as an ordinary program.
const HOST: u32 = 0x90eb_cdeb;

pub(crate) fn has_the_bits_of_the_host() -> bool {
    let fits = [Fit::Stretch, Fit::Crop, Fit::Letterbox];
    let hash = fits.into_iter().try_fold(Crc32::default(), scaled);
    hash.is_some_and(|hash| hash.value() == HOST)
}

/// The checksum, continued with the bytes of a frame of stripes and slopes.
fn scaled(hash: Crc32, fit: Fit) -> Option<Crc32> {
    let mut workspace = [0; workspace_len(&SIZING)];
    let mut bytes = [0; 20 * 10 * 3];
    let mut rows = Rows::new(Sizing { fit, ..SIZING }, None, SOURCE, &mut workspace, &mut bytes).ok()?;
    let mut row = [0; SOURCE.row_len()];
    for y in 0..SOURCE.height {
        for (x, byte) in row.iter_mut().enumerate() {
            *byte = (x * 37 + y * 11 + x * y) as u8;
        }
        rows.push(&row).ok()?;
    }
    rows.is_whole().then(|| hash.update(&bytes))
}
