//! Where things are on a display of any size.

use crate::canvas::{SIDE, Spot};
use embedded_graphics::prelude::{Point, Size};
use embedded_graphics::primitives::Rectangle;

/// Between things, in pixels.
const MARGIN: u32 = 4;

/// The narrowest column beside the sheet.
const COLUMN: u32 = 36;

/// From this height on everything in the column is below each other.
const TALL: u32 = 100;

/// The smallest display: a sheet of one pixel a pixel, and a column.
pub const SMALLEST: Size = Size::new(SIDE as u32 + COLUMN + 3 * MARGIN, SIDE as u32 + MARGIN);

/// The places of one display.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// All of it.
    pub screen: Rectangle,
    /// The sheet: a square.
    pub sheet: Rectangle,
    /// Pixels of the display for one of the sheet, each way.
    pub scale: u32,
    /// The digit, or the name of another class, that was read.
    pub digit: Rectangle,
    /// The probabilities, a row each.
    pub bars: Rectangle,
    /// The button for an empty sheet.
    pub clear: Rectangle,
    /// The button for the next page.
    pub page: Rectangle,
}

impl Layout {
    /// [`None`] if the display is smaller than [`SMALLEST`].
    pub fn new(size: Size) -> Option<Self> {
        let side = SIDE as u32;
        let room = size.width.checked_sub(COLUMN + 3 * MARGIN)?.min(size.height.checked_sub(MARGIN)?);
        let scale = room / side;
        if scale == 0 {
            return None;
        }
        let sheet = side * scale;
        let top = ((size.height - sheet) / 2).min(MARGIN + 2);
        let left = sheet + 2 * MARGIN;
        let column =
            rectangle(left, top.min(MARGIN), size.width - left - MARGIN, size.height - 2 * top.min(MARGIN));
        let [digit, bars, clear, page] = if column.size.height < TALL { wide(column) } else { tall(column) };
        Some(Self {
            screen: Rectangle::new(Point::zero(), size),
            sheet: rectangle(MARGIN, top, sheet, sheet),
            scale,
            digit,
            bars,
            clear,
            page,
        })
    }

    /// The place on the sheet under a pixel of the display, which may lie beyond its edges.
    pub fn spot(&self, pixel: Point) -> Spot {
        let scale = self.scale.max(1) as i32;
        let part = |pixel: i32, first: i32| {
            let inside = pixel.saturating_sub(first).clamp(-i32::from(i16::MAX), i16::MAX.into());
            (inside * Spot::UNIT + Spot::UNIT / 2).checked_div(scale).unwrap_or(0)
        };
        Spot { x: part(pixel.x, self.sheet.top_left.x), y: part(pixel.y, self.sheet.top_left.y) }
    }
}

/// A low column: the bars on the left; the digit and the buttons on the right.
fn wide(column: Rectangle) -> [Rectangle; 4] {
    let Size { width, height } = column.size;
    let right = 22.min(width / 2);
    let (x, y) = (column.top_left.x as u32, column.top_left.y as u32);
    let (beside, button) = (x + width - right, height / 5);
    [
        rectangle(beside, y, right, height - 2 * button - 4),
        rectangle(x, y, width - right - 3, height),
        rectangle(beside, y + height - 2 * button - 2, right, button),
        rectangle(beside, y + height - button, right, button),
    ]
}

/// A tall column: the digit, the bars, the buttons.
fn tall(column: Rectangle) -> [Rectangle; 4] {
    let Size { width, height } = column.size;
    let (x, y) = (column.top_left.x as u32, column.top_left.y as u32);
    let (digit, button) = (height * 3 / 10, (height / 8).max(14));
    let half = (width - 2) / 2;
    [
        rectangle(x, y, width, digit),
        rectangle(x, y + digit + 2, width, height - digit - button - 4),
        rectangle(x, y + height - button, half, button),
        rectangle(x + half + 2, y + height - button, half, button),
    ]
}

fn rectangle(x: u32, y: u32, width: u32, height: u32) -> Rectangle {
    Rectangle::new(Point::new(x as i32, y as i32), Size::new(width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The displays that the app is tested on, and the smallest.
    const SIZES: [Size; 5] =
        [Size::new(128, 64), Size::new(160, 128), Size::new(240, 240), Size::new(320, 240), SMALLEST];

    #[test]
    fn nothing_is_cut_off_or_covered() {
        for size in SIZES {
            let layout = Layout::new(size).unwrap();
            let Layout { screen, sheet, digit, bars, clear, page, .. } = layout;
            let all = [sheet, digit, bars, clear, page];
            for (index, place) in all.iter().enumerate() {
                assert_eq!(screen.intersection(place), *place, "{size}: {layout:?}");
                for other in &all[..index] {
                    assert!(place.intersection(other).is_zero_sized(), "{size}: {place:?} {other:?}");
                }
            }
            assert!(
                bars.size.height >= 50 && digit.size.width >= 10 && digit.size.height >= 20,
                "{layout:?}"
            );
        }
        assert!(Layout::new(Size::new(SMALLEST.width - 1, 64)).is_none());
        assert!(Layout::new(Size::new(128, SMALLEST.height - 1)).is_none());
    }

    #[test]
    fn a_pixel_of_the_sheet_is_its_spot() {
        let layout = Layout::new(Size::new(240, 240)).unwrap();
        let corner = layout.sheet.top_left;
        assert_eq!(layout.scale, 3);
        assert_eq!(layout.spot(corner), Spot { x: 2, y: 2 });
        assert_eq!(layout.spot(corner + Point::new(3, 6)), Spot { x: 18, y: 34 });
    }
}
