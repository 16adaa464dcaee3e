//! All memory of the firmware, stack apart.

use edge8::Aligned;
use embedded_graphics::framebuffer::{Framebuffer, buffer_size};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::pixelcolor::raw::{LittleEndian, RawU1};
use firmware_sim::canvas::Canvas;
use firmware_sim::reader::WORKSPACE_LEN;

edge8::embed_model!(pub mod network, env!("EDGE8_MODEL"));

/// Columns and rows of the display, a monochrome OLED's.
pub const DISPLAY: (usize, usize) = (128, 64);

/// The display's pixels: a bit each, 1 KB.
pub type Frame = Framebuffer<
    BinaryColor,
    RawU1,
    LittleEndian,
    { DISPLAY.0 },
    { DISPLAY.1 },
    { buffer_size::<BinaryColor>(DISPLAY.0, DISPLAY.1) },
>;

/// Pre-processing and the network work in the same bytes.
const ARENA_LEN: usize = if network::ARENA_LEN > WORKSPACE_LEN { network::ARENA_LEN } else { WORKSPACE_LEN };

/// The sheet, and what reading takes.
#[derive(Debug)]
pub struct Memory {
    pub canvas: Canvas,
    pub arena: Aligned<[u8; ARENA_LEN]>,
    pub input: [i8; network::INPUT_LEN],
    pub output: [i8; network::OUTPUT_LEN],
}

impl Memory {
    /// Zeros.
    pub const fn new() -> Self {
        let (input, output) = ([0; network::INPUT_LEN], [0; network::OUTPUT_LEN]);
        Self { canvas: Canvas::new(), arena: Aligned::new(), input, output }
    }
}
