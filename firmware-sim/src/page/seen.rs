//! The network's input in the place of the sheet.

use crate::reader::Reader;
use crate::theme::Theme;
use core::num::NonZero;
use edge8::Shape;
use embedded_graphics::prelude::{DrawTarget, Point, Size};
use embedded_graphics::primitives::Rectangle;

/// Draws its pixels as squares, as large as fit; of an input with more rows or columns than the place every second one, or third.
pub fn draw<D>(reader: &Reader<'_>, sheet: Rectangle, display: &mut D) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    display.fill_solid(&sheet, D::Color::ink(0))?;
    let Shape { height, width, .. } = reader.shape();
    let input = Size::new(width.into(), height.into());
    let grid = Grid::new(input, sheet.size);
    let corner = Rectangle::with_center(sheet.center(), grid.size(input)).top_left;
    let pixels = (0..input.height).flat_map(|row| (0..input.width).map(move |column| (column, row)));
    for ((column, row), color) in pixels.zip(reader.seen()) {
        let Some(at) = grid.place(column, row) else { continue };
        let square = Rectangle::new(corner + at, Size::new_equal(grid.cell)).intersection(&sheet);
        display.fill_solid(&square, D::Color::rgb(color))?;
    }
    Ok(())
}

/// How an input is laid into a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grid {
    /// Rows and columns of the display for a pixel, at least 1.
    cell: u32,
    /// From one pixel that is shown to the next, each way.
    step: NonZero<u32>,
}

impl Grid {
    fn new(input: Size, place: Size) -> Self {
        let times = |room: u32, len: u32| room.checked_div(len).unwrap_or(1);
        let part = |len: u32, room: u32| (len + room.saturating_sub(1)).checked_div(room).unwrap_or(1);
        let cell = times(place.width, input.width).min(times(place.height, input.height)).max(1);
        let step = part(input.width, place.width).max(part(input.height, place.height));
        Self { cell, step: NonZero::new(step).unwrap_or(NonZero::<u32>::MIN) }
    }

    /// What an input takes of the display.
    fn size(&self, input: Size) -> Size {
        let shown = |len: u32| (len + self.step.get() - 1) / self.step * self.cell;
        Size::new(shown(input.width), shown(input.height))
    }

    /// Where a pixel's square lies; [`None`] for one that is left out.
    fn place(&self, column: u32, row: u32) -> Option<Point> {
        let on_grid = column % self.step == 0 && row % self.step == 0;
        let at = |index: u32| (index / self.step * self.cell) as i32;
        on_grid.then(|| Point::new(at(column), at(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_fills_the_place_and_none_of_it_lies_beyond() {
        for (input, place, cell, step) in [
            (Size::new(32, 32), Size::new(56, 56), 1, 1),
            (Size::new(32, 20), Size::new(224, 224), 7, 1),
            (Size::new(56, 56), Size::new(56, 56), 1, 1),
            (Size::new(57, 20), Size::new(56, 56), 1, 2),
            (Size::new(8, 4096), Size::new(168, 168), 1, 25),
        ] {
            let grid = Grid::new(input, place);
            assert_eq!((grid.cell, grid.step.get()), (cell, step), "{input}");
            let shown = grid.size(input);
            assert!(shown.width <= place.width && shown.height <= place.height, "{input}");
            let last = |len: u32| (len - 1) / step * step;
            let corner = grid.place(last(input.width), last(input.height)).unwrap();
            assert_eq!(corner + Size::new_equal(cell), Point::zero() + shown, "{input}");
            assert_eq!(grid.place(1, 0).is_none(), step > 1);
        }
    }
}
