//! The display: the colours of a device as the bytes of a canvas.

use core::convert::Infallible;
use embedded_graphics::Pixel;
use embedded_graphics::pixelcolor::{Rgb565, Rgb888};
use embedded_graphics::prelude::{DrawTarget, OriginDimensions, Point, PointsIter, RgbColor, Size};
use embedded_graphics::primitives::Rectangle;

/// Bytes of a pixel: red, green, blue, opacity.
const PIXEL: usize = 4;

/// Bytes of the largest display.
pub const MOST_BYTES: usize = 320 * 240 * PIXEL;

/// A display with 16-bit colours.
pub struct Screen {
    size: Size,
    pixels: &'static mut [u8],
}

impl Screen {
    /// [`None`] if the display has more pixels than the memory.
    pub fn new(size: Size, memory: &'static mut [u8]) -> Option<Self> {
        let bytes = size.width.checked_mul(size.height)?.checked_mul(PIXEL as u32)?;
        Some(Self { size, pixels: memory.get_mut(..bytes as usize)? })
    }

    /// Its bytes, row by row.
    pub fn pixels(&self) -> &[u8] {
        self.pixels
    }

    fn set(&mut self, Point { x, y }: Point, bytes: [u8; PIXEL]) {
        let Size { width, height } = self.size;
        if (0..width as i32).contains(&x) && (0..height as i32).contains(&y) {
            let index = y as usize * width as usize + x as usize;
            if let Some(pixel) = self.pixels.as_chunks_mut().0.get_mut(index) {
                *pixel = bytes;
            }
        }
    }
}

/// A colour of the device as a canvas has it.
fn bytes(color: Rgb565) -> [u8; PIXEL] {
    let color = Rgb888::from(color);
    [color.r(), color.g(), color.b(), u8::MAX]
}

impl OriginDimensions for Screen {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Screen {
    type Color = Rgb565;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb565>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(point, color) in pixels {
            self.set(point, bytes(color));
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb565) -> Result<(), Infallible> {
        let bytes = bytes(color);
        for point in area.points() {
            self.set(point, bytes);
        }
        Ok(())
    }
}
