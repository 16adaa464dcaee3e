//! What the display shows, as a picture file.

use crate::memory::Frame;
use embedded_graphics::prelude::OriginDimensions;

/// Writes a frame as a plain PBM, which is a text: `1` is a pixel that shines.
pub fn write(frame: &Frame, mut out: impl FnMut(&str)) {
    let columns = frame.size().width as usize;
    out("P1\n128 64\n");
    for row in frame.data().chunks_exact(columns / 8) {
        for byte in row {
            for bit in (0..8).rev() {
                out(if byte >> bit & 1 == 1 { "1" } else { "0" });
            }
        }
        out("\n");
    }
}
