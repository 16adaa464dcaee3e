//! Diagrams as PNG files. Text is a built-in bitmap font, so that no system font is needed and the pictures are the same
//! everywhere.

mod axis;
mod canvas;
mod chart;

pub use axis::{Axis, Scale};
pub use canvas::{Canvas, GRID, INK, Size};
pub use chart::{Chart, Mark, Series};
pub use embedded_graphics::pixelcolor::Rgb888;
pub use embedded_graphics::text::Alignment;

/// Colours that can be told apart, also by most who see some alike (Okabe and Ito, "Color universal design", 2008); from
/// the seventh on they repeat.
pub fn colour(index: usize) -> Rgb888 {
    const COLOURS: [[u8; 3]; 6] =
        [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233]];
    let [red, green, blue] = COLOURS[index % COLOURS.len()];
    Rgb888::new(red, green, blue)
}
