//! Texts and numbers without a heap.

use crate::name::LABELS;
use crate::wrap::{Lines, fits};
use embedded_graphics::Pixel;
#[cfg(not(feature = "pictures"))]
use embedded_graphics::mono_font::ascii as fonts;
#[cfg(feature = "pictures")]
use embedded_graphics::mono_font::iso_8859_1 as fonts;
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::prelude::{Dimensions, DrawTarget, PixelColor, Point, Size};
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::Baseline;
use embedded_graphics::text::renderer::TextRenderer;

/// For lines that are low or narrow. Statics: a constant would be in the program once for each place of its use.
static SMALL: MonoFont<'static> = fonts::FONT_4X6;

/// For others.
static MEDIUM: MonoFont<'static> = fonts::FONT_6X10;

/// To be magnified.
static LARGE: MonoFont<'static> = fonts::FONT_10X20;

/// A short text that is put together on the way; what does not fit is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    bytes: [u8; Self::MOST],
    len: usize,
}

impl Line {
    const MOST: usize = 20;

    /// No text.
    pub const fn new() -> Self {
        Self { bytes: [0; Self::MOST], len: 0 }
    }

    /// The text, and one more behind it.
    pub fn text(mut self, text: &str) -> Self {
        for (place, byte) in self.bytes.iter_mut().skip(self.len).zip(text.bytes()) {
            *place = byte;
            self.len += 1;
        }
        self
    }

    /// The text, and a number behind it.
    pub fn number(self, number: usize) -> Self {
        let mut digits = [b'0'; 10];
        let (mut rest, mut count) = (number, 0);
        for place in digits.iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            (rest, count) = (rest / 10, count + 1);
            if rest == 0 {
                break;
            }
        }
        let digits = digits.get(digits.len() - count..).unwrap_or(&[]);
        self.text(core::str::from_utf8(digits).unwrap_or(""))
    }

    /// The text, and the eight hexadecimal digits of a number behind it.
    pub fn hex(self, number: u32) -> Self {
        let mut digits = [b'0'; 8];
        let mut rest = number;
        for place in digits.iter_mut().rev() {
            let value = (rest & 15) as u8;
            *place = if value < 10 { b'0' + value } else { b'a' - 10 + value };
            rest >>= 4;
        }
        self.text(core::str::from_utf8(&digits).unwrap_or(""))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("")
    }
}

/// The font for lines of some height.
pub fn font(height: u32) -> &'static MonoFont<'static> {
    if height >= 10 { &MEDIUM } else { &SMALL }
}

/// Writes a text in the middle of a place, as large as fits one line.
pub fn centred<D: DrawTarget>(
    text: &str,
    place: Rectangle,
    color: D::Color,
    display: &mut D,
) -> Result<(), D::Error> {
    let width = |font: &MonoFont<'_>| font.character_size.width * text.len() as u32;
    let mut font = font(place.size.height.saturating_sub(2));
    if width(font) > place.size.width {
        font = &SMALL;
    }
    let free = |room: u32, taken: u32| (room.saturating_sub(taken) / 2) as i32;
    let corner =
        Point::new(free(place.size.width, width(font)), free(place.size.height, font.character_size.height));
    write(text, place.top_left + corner, font, color, display)
}

/// Writes a text of one line from its top left corner on.
pub fn write<D: DrawTarget>(
    text: &str,
    at: Point,
    font: &MonoFont<'_>,
    color: D::Color,
    display: &mut D,
) -> Result<(), D::Error> {
    // Not as a `Text`: that one looks for line ends, in a way that a compiler does not see never to panic.
    MonoTextStyle::new(font, color).draw_string(text, at, Baseline::Top, display).map(|_| ())
}

/// How often a part fits a whole, across and down.
fn times(whole: Size, part: Size) -> (u32, u32) {
    let times = |whole: u32, part: u32| whole.checked_div(part).unwrap_or(0);
    (times(whole.width, part.width), times(whole.height, part.height))
}

/// How many characters a text has.
pub fn count(text: &str) -> u32 {
    text.chars().map(|_| 1).sum()
}

/// The first characters of a text, `most` of them.
pub fn cut(text: &str, most: u32) -> &str {
    let end = text.char_indices().nth(most as usize).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or(text)
}

/// Draws a name as large as a place allows: in one line, magnified; else in several; else what fits of it.
pub fn name<D: DrawTarget>(
    name: &str,
    place: Rectangle,
    color: D::Color,
    display: &mut D,
) -> Result<(), D::Error> {
    let cell = LARGE.character_size;
    let line = Size::new(cell.width * count(name), cell.height);
    let (across, down) = times(place.size, line);
    let scale = across.min(down);
    if LABELS && scale == 0 {
        return lines(name, place, color, display);
    }
    let free = |room: u32, taken: u32| (room.saturating_sub(taken * scale) / 2) as i32;
    let corner = Point::new(free(place.size.width, line.width), free(place.size.height, line.height));
    let mut magnified = Magnified { display, origin: place.top_left + corner, scale };
    write(name, Point::zero(), &LARGE, color, &mut magnified)
}

/// Writes a text in the middle of a place, in several lines.
fn lines<D: DrawTarget>(
    text: &str,
    place: Rectangle,
    color: D::Color,
    display: &mut D,
) -> Result<(), D::Error> {
    let room = |font: &MonoFont<'_>| times(place.size, font.character_size);
    let font = if fits(text, room(&MEDIUM)) { &MEDIUM } else { &SMALL };
    let (cell, (across, down)) = (font.character_size, room(font));
    let lines = || Lines::new(text, across as usize).take(down as usize);
    let taken = lines().count() as u32 * cell.height;
    let mut top = place.size.height.saturating_sub(taken) / 2;
    for line in lines() {
        let left = place.size.width.saturating_sub(count(line) * cell.width) / 2;
        write(line, place.top_left + Point::new(left as i32, top as i32), font, color, display)?;
        top += cell.height;
    }
    Ok(())
}

/// A display whose pixels are squares of another's.
struct Magnified<'a, D> {
    display: &'a mut D,
    origin: Point,
    scale: u32,
}

impl<D: DrawTarget> Dimensions for Magnified<'_, D> {
    fn bounding_box(&self) -> Rectangle {
        self.display.bounding_box()
    }
}

impl<D: DrawTarget> DrawTarget for Magnified<'_, D>
where
    D::Color: PixelColor,
{
    type Color = D::Color;
    type Error = D::Error;

    fn draw_iter<I: IntoIterator<Item = Pixel<D::Color>>>(&mut self, pixels: I) -> Result<(), D::Error> {
        for Pixel(point, color) in pixels {
            let corner = self.origin + point * self.scale as i32;
            self.display.fill_solid(&Rectangle::new(corner, Size::new_equal(self.scale)), color)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn lines_are_put_together_and_cut() {
        assert_eq!(Line::new().text("arena ").number(13312).text(" B").as_str(), "arena 13312 B");
        assert_eq!(Line::new().number(0).as_str(), "0");
        assert_eq!(Line::new().text("a text of more than twenty bytes").as_str(), "a text of more than ");
    }
}
