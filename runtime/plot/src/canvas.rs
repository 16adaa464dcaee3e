//! A picture to draw on.

use std::convert::Infallible;
use std::io::Cursor;

use anyhow::Result;
use embedded_graphics::mono_font::ascii::{FONT_6X10, FONT_9X15, FONT_9X15_BOLD};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Line, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};
use image::{ImageFormat, Rgb, RgbImage, imageops};

/// Text and axes.
pub const INK: Rgb888 = Rgb888::new(40, 40, 40);
/// Grid lines.
pub const GRID: Rgb888 = Rgb888::new(225, 225, 225);

/// Size of a text.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    /// 6 by 10 pixels a character.
    Small,
    /// 9 by 15.
    Normal,
    /// The same, bold.
    Title,
}

impl Size {
    /// Pixels from one character to the next.
    pub fn width(self) -> u32 {
        self.font().character_size.width
    }

    fn font(self) -> &'static MonoFont<'static> {
        match self {
            Self::Small => &FONT_6X10,
            Self::Normal => &FONT_9X15,
            Self::Title => &FONT_9X15_BOLD,
        }
    }
}

/// A white picture to draw on.
#[derive(Debug)]
pub struct Canvas(RgbImage);

impl Canvas {
    /// A white picture of this size, in pixels.
    pub fn new(width: u32, height: u32) -> Self {
        Self(RgbImage::from_pixel(width, height, Rgb([255; 3])))
    }

    /// Draws a text whose anchor (left, centre or right end, vertically its middle) is at `x`, `y`.
    pub fn text(&mut self, text: &str, x: i32, y: i32, size: Size, alignment: Alignment, colour: Rgb888) {
        let layout = TextStyleBuilder::new().alignment(alignment).baseline(Baseline::Middle).build();
        let text =
            Text::with_text_style(text, Point::new(x, y), MonoTextStyle::new(size.font(), colour), layout);
        let Ok(_) = text.draw(self);
    }

    /// Draws a text from below to above, its middle at `x`, its beginning at `y`.
    pub fn upright(&mut self, text: &str, x: i32, y: i32, size: Size, colour: Rgb888) {
        let height = size.font().character_size.height;
        let mut line = Self::new(size.width() * text.chars().count().max(1) as u32, height);
        line.text(text, 0, height as i32 / 2, size, Alignment::Left, colour);
        let turned = imageops::rotate270(&line.0);
        let top = i64::from(y) - i64::from(turned.height());
        imageops::overlay(&mut self.0, &turned, i64::from(x) - i64::from(height / 2), top);
    }

    /// Draws a picture of rows, columns and 1 or 3 channels, as large as fits `most` pixels in each direction.
    ///
    /// # Panics
    /// If there are fewer bytes than its shape has.
    pub fn picture(&mut self, x: i32, y: i32, most: usize, shape: [usize; 3], bytes: &[u8]) {
        let [rows, columns, channels] = shape;
        let (scale, longer) = (most, rows.max(columns));
        let colour = |row: usize, column: usize| {
            let pixel = &bytes[(row * columns + column) * channels..][..channels];
            Rgb888::new(pixel[0], pixel[channels / 2], pixel[channels - 1])
        };
        let size = [rows, columns].map(|side| (side * scale / longer).max(1));
        for row in 0..size[0] {
            for column in 0..size[1] {
                let colour = colour(row * rows / size[0], column * columns / size[1]);
                self.fill(x + column as i32, y + row as i32, 1, 1, colour);
            }
        }
    }

    /// Draws a line.
    pub fn line(&mut self, from: (i32, i32), to: (i32, i32), width: u32, colour: Rgb888) {
        let style = PrimitiveStyle::with_stroke(colour, width);
        let Ok(()) = Line::new(from.into(), to.into()).into_styled(style).draw(self);
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, x: i32, y: i32, width: u32, height: u32, colour: Rgb888) {
        let area = Rectangle::new(Point::new(x, y), embedded_graphics::geometry::Size::new(width, height));
        let Ok(()) = area.into_styled(PrimitiveStyle::with_fill(colour)).draw(self);
    }

    /// The picture as a PNG file's bytes.
    ///
    /// # Errors
    /// Only if the PNG cannot be encoded.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        self.0.write_to(&mut bytes, ImageFormat::Png)?;
        Ok(bytes.into_inner())
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> embedded_graphics::geometry::Size {
        embedded_graphics::geometry::Size::new(self.0.width(), self.0.height())
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(Point { x, y }, colour) in pixels {
            let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { continue };
            if let Some(pixel) = self.0.get_pixel_mut_checked(x, y) {
                *pixel = Rgb([colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}
