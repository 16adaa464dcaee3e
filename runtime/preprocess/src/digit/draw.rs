//! The digit that was found, drawn into the input.

use super::background::Background;
use super::cells::{Cells, SIDE};
use super::pieces::{DIGIT, DROPPED, Digit};
use super::region::{Region, split};
use super::resample::{Axis, Span, average, step};
use crate::picture::Picture;
use edge8::Framing;

/// Where the digit is and what its ink is measured against.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub picture: &'a Picture<'a>,
    pub region: Region,
    pub background: Background,
    pub digit: Digit,
    /// Cells of the thumbnail of `region`.
    pub cells: (usize, usize),
}

/// The output pixels of one axis: `count` from `offset` on.
#[derive(Clone, Copy, Debug)]
struct Place {
    axis: Axis,
    offset: usize,
    count: usize,
}

impl<'a> Found<'a> {
    /// The rectangle of the picture that the digit covers.
    pub fn bounds(&self) -> Region {
        let bounds = &self.digit.bounds;
        let x = |cell: u8| self.region.x + split(self.region.width, self.cells.0, cell.into());
        let y = |cell: u8| self.region.y + split(self.region.height, self.cells.1, cell.into());
        let (x0, y0) = (x(bounds.x0), y(bounds.y0));
        Region {
            x: x0,
            y: y0,
            width: x(bounds.x1).saturating_sub(x0),
            height: y(bounds.y1).saturating_sub(y0),
        }
    }

    /// What is written on, if it is a sheet of paper that has been found and no digit.
    pub fn within_sheet(&self) -> Option<Region> {
        let bounds = self.bounds();
        (self.digit.is_sheet() && bounds.longer() >= SIDE).then(|| bounds.shrunk())
    }

    /// Draws the ink into `framed`, whose pixels are all 0, and leaves out what does not belong to the digit: `labels` are
    /// those of the cells, as [`find_digit`](super::pieces::find_digit) left them.
    pub fn draw(&self, framing: Framing, labels: &mut [u8], framed: &mut [u8]) {
        let labels = Cells::new(labels, self.cells.0, self.cells.1);
        let (columns, rows) = self.places(framing);
        let lines = framed.chunks_mut(usize::from(framing.side).max(1)).skip(rows.offset).take(rows.count);
        for (index, line) in lines.enumerate() {
            let y = rows.axis.span(index);
            for (index, pixel) in line.iter_mut().skip(columns.offset).take(columns.count).enumerate() {
                let x = columns.axis.span(index);
                *pixel = self.ink(x, y, &labels);
            }
        }
    }

    fn ink(&self, columns: Span, rows: Span, labels: &Cells<'_>) -> u8 {
        let (left, right) = columns.ends();
        let (top, bottom) = rows.ends();
        let ((left, top), (right, bottom)) = (self.cell(left, top), self.cell(right, bottom));
        let cells = (top..=bottom).flat_map(|y| (left..=right).map(move |x| labels.at(x, y)));
        let (mut digit, mut dropped) = (false, false);
        for cell in cells {
            digit |= cell == DIGIT;
            dropped |= cell == DROPPED;
        }
        if dropped && !digit {
            return 0;
        }
        let (x, y) = ((left + right) / 2, (top + bottom) / 2);
        average(self.picture, columns, rows).map_or(0, |value| self.background.ink(value, x, y))
    }

    /// The cell of the thumbnail in which a pixel of the picture lies.
    fn cell(&self, x: usize, y: usize) -> (usize, usize) {
        let cell = |pixel: usize, start: usize, length: usize, cells: usize| {
            let product = (pixel.saturating_sub(start) as u64).saturating_mul(cells as u64);
            let index = product.checked_div(length as u64).unwrap_or(0) as usize;
            index.min(cells.saturating_sub(1))
        };
        let Region { x: x0, y: y0, width, height } = self.region;
        (cell(x, x0, width, self.cells.0), cell(y, y0, height, self.cells.1))
    }

    /// The longer side takes `framing.digit` pixels, the centre of mass is in the middle of the input.
    ///
    /// As MNIST was made, the digit is moved by whole pixels: so its own pictures pass without a blur.
    fn places(&self, framing: Framing) -> (Place, Place) {
        let bounds = self.bounds();
        let (side, digit) = (usize::from(framing.side), usize::from(framing.digit.min(framing.side).max(1)));
        let step = step(bounds.longer(), digit);
        let place = |from: usize, length: usize, limit: usize, centre: u64| {
            let count = (((length as i64) << 16) + step / 2).checked_div(step).unwrap_or(1) as usize;
            let count = count.min(digit).max(1);
            let axis = Axis::centred(from, from + length, step, count, limit);
            let shift = ((side as i64 + 1) * 128 - axis.place(centre as i64) + 128) >> 8;
            let offset = shift.max(0).min(side as i64 - count as i64) as usize;
            Place { axis, offset, count }
        };
        let centre = |start: usize, length: usize, cells: usize, centre: u32| {
            let inside = (u64::from(centre) * length as u64).checked_div(cells as u64).unwrap_or(0);
            start as u64 * 256 + inside
        };
        let (region, picture) = (&self.region, self.picture);
        let x = centre(region.x, region.width, self.cells.0, self.digit.centre.0);
        let y = centre(region.y, region.height, self.cells.1, self.digit.centre.1);
        (
            place(bounds.x, bounds.width, picture.width(), x),
            place(bounds.y, bounds.height, picture.height(), y),
        )
    }
}
