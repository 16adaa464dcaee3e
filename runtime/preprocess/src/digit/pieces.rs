//! Connected pieces of ink: which of them are the digit.

use super::bounds::Bounds;
use super::cells::Cells;
use super::table::{Place, Table};

/// A piece with less than this part of the largest one's ink is a speck.
const SPECK: u32 = 40;

/// Gaps up to this part of the digit's longer side do not separate.
const REACH: usize = 3;

/// What a cell of the thumbnail belongs to once the choice is made.
pub(super) const DIGIT: u8 = 1;
/// Specks, frames, shadows: to be erased.
pub(super) const DROPPED: u8 = 2;

/// Where the digit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digit {
    /// The rectangle that it covers.
    pub bounds: Bounds,
    /// Cells with ink.
    pub area: usize,
    /// Centre of mass of its ink, in 1/256 cells from the thumbnail's corner.
    pub centre: (u32, u32),
}

impl Digit {
    /// True if it looks like a sheet of paper instead.
    pub fn is_sheet(&self) -> bool {
        self.bounds.is_sheet(self.area)
    }

    /// True for strokes with paper all around in a thumbnail of `width` x `height` cells. What lies so in ink, the hole of a
    /// bold digit, is small or fills more of its rectangle.
    pub fn is_written(&self, (width, height): (usize, usize)) -> bool {
        let Bounds { x0, y0, x1, y1 } = self.bounds;
        let inside = x0 > 0 && y0 > 0 && usize::from(x1) < width && usize::from(y1) < height;
        let large = 4 * self.bounds.longer() >= width.max(height);
        inside && large && 16 * self.area < 9 * self.bounds.area()
    }
}

/// Finds the digit among the cells of `ink` that reach `threshold`. What each cell belongs to stays in `labels`: [`DIGIT`],
/// [`DROPPED`] or 0 for the background.
///
/// It is the heaviest piece and what is near to that and no speck (the bar of a 5 may be detached).
pub(super) fn find_digit(
    ink: &Cells<'_>,
    threshold: u8,
    labels: &mut [u8],
    table: &mut [u8],
) -> Option<Digit> {
    let labels = Cells::new(labels, ink.width(), ink.height());
    let mut pieces = Pieces { ink, labels, table: Table::new(table), count: 0 };
    let mut threshold = threshold.max(1);
    // Too many pieces: the threshold lies in the texture of the paper.
    while !pieces.label(threshold) && threshold < 128 {
        threshold = threshold.saturating_mul(2);
    }
    pieces.weigh();
    let heaviest = pieces.heaviest()?;
    pieces.place(heaviest);
    let bounds = pieces.keep_near(heaviest);
    pieces.settle();
    let area = pieces.digit().count();
    Some(Digit { bounds, area, centre: pieces.centre()? })
}

/// The labels of the cells and the pieces they name.
struct Pieces<'a> {
    ink: &'a Cells<'a>,
    labels: Cells<'a>,
    table: Table<'a>,
    count: u8,
}

impl Pieces<'_> {
    /// Names the 8-connected pieces. False if there are more than labels: the cells left over stay without.
    fn label(&mut self, threshold: u8) -> bool {
        self.labels.bytes().fill(0);
        self.table.clear();
        self.count = 0;
        let mut complete = true;
        for (x, y, value) in self.ink.iter() {
            if value < threshold {
                continue;
            }
            let label = match self.join_neighbours(x, y) {
                Some(label) => Some(label),
                None => self.fresh(),
            };
            complete &= label.is_some();
            self.labels.set(x, y, label.unwrap_or(0));
        }
        complete
    }

    fn fresh(&mut self) -> Option<u8> {
        self.count = self.count.checked_add(1)?;
        self.table.set_parent(self.count, self.count);
        Some(self.count)
    }

    /// The label of the cells above and to the left, which become one piece.
    fn join_neighbours(&mut self, x: usize, y: usize) -> Option<u8> {
        let above = y.wrapping_sub(1);
        let places = [(x.wrapping_sub(1), y), (x.wrapping_sub(1), above), (x, above), (x + 1, above)];
        let mut joined = 0;
        for (x, y) in places {
            let label = self.root(x, y);
            joined = match (joined, label) {
                (0, label) => label,
                (joined, 0) => joined,
                (joined, label) => self.join(joined, label),
            };
        }
        (joined != 0).then_some(joined)
    }

    fn join(&mut self, one: u8, other: u8) -> u8 {
        let (smaller, larger) = (one.min(other), one.max(other));
        self.table.set_parent(larger, smaller);
        smaller
    }

    /// The smallest label of the piece in cell `(x, y)`. Parents are smaller than their children, so this ends.
    fn root(&self, x: usize, y: usize) -> u8 {
        let mut label = self.labels.at(x, y);
        loop {
            let parent = self.table.parent(label);
            if parent >= label {
                return label;
            }
            label = parent;
        }
    }

    fn weigh(&mut self) {
        for (x, y, value) in self.ink.iter() {
            let label = self.root(x, y);
            if label == 0 {
                continue;
            }
            let mut amount = self.table.amount(label);
            amount.mass += u32::from(value);
            amount.area += 1;
            amount.on_border += u8::from(self.ink.on_border(x, y));
            amount.in_corner |= self.ink.in_corner(x, y);
            self.table.set_amount(label, amount);
        }
    }

    fn heaviest(&self) -> Option<u8> {
        (0..=u8::MAX).max_by_key(|label| {
            let amount = self.table.amount(*label);
            (amount.weight(self.ink), amount.mass)
        })
    }

    /// Replaces the amounts by the places. Of the pieces the heaviest one is kept so far.
    fn place(&mut self, heaviest: u8) {
        let least = self.table.amount(heaviest).mass / SPECK;
        for label in 0..=u8::MAX {
            let speck = self.table.amount(label).weight(self.ink) <= least;
            self.table.set_place(label, Place { bounds: Bounds::NONE, speck, kept: label == heaviest });
        }
        for (x, y, _) in self.ink.iter() {
            let label = self.root(x, y);
            if label == 0 {
                continue;
            }
            let (place, cell) = (self.table.place(label), Bounds::cell(x, y));
            let bounds = if place.bounds == Bounds::NONE { cell } else { place.bounds.union(cell) };
            self.table.set_place(label, Place { bounds, ..place });
        }
    }

    /// Marks the digit's pieces and gives their common bounds.
    fn keep_near(&mut self, heaviest: u8) -> Bounds {
        let mut bounds = self.table.place(heaviest).bounds;
        // Each round lengthens the reach, so a dotted line is followed to its end.
        let mut grown = true;
        while grown {
            grown = false;
            for label in 0..=u8::MAX {
                let place = self.table.place(label);
                if place.kept || place.speck || place.bounds.gap(&bounds) > bounds.longer() / REACH {
                    continue;
                }
                self.table.set_place(label, Place { kept: true, ..place });
                bounds = bounds.union(place.bounds);
                grown = true;
            }
        }
        bounds
    }

    /// Replaces the labels by [`DIGIT`] and [`DROPPED`].
    fn settle(&mut self) {
        for (x, y, _) in self.ink.iter() {
            let label = self.root(x, y);
            if label != 0 {
                let kept = self.table.place(label).kept;
                self.labels.set(x, y, if kept { DIGIT } else { DROPPED });
            }
        }
    }

    /// The digit's cells.
    fn digit(&self) -> impl Iterator<Item = (usize, usize, u8)> {
        self.ink.iter().filter(|(x, y, _)| self.labels.at(*x, *y) == DIGIT)
    }

    fn centre(&self) -> Option<(u32, u32)> {
        let (mut mass, mut sum_x, mut sum_y) = (0u32, 0u32, 0u32);
        for (x, y, value) in self.digit() {
            let value = u32::from(value);
            mass += value;
            // Twice the position of the cell's middle: at most 4096 * 255 * 127 < 2^27.
            sum_x += value * (2 * x as u32 + 1);
            sum_y += value * (2 * y as u32 + 1);
        }
        // `sum * 128 / mass` in 32 bits: the rest is below 4096 * 255 < 2^20.
        let place = |sum: u32| Some(sum.checked_div(mass)? * 128 + (sum % mass * 128).checked_div(mass)?);
        Some((place(sum_x)?, place(sum_y)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cells::SIDE;
    use super::super::table;
    use super::*;

    /// Ink of each letter: `#` is full ink, `+` faint ink.
    fn ink(letter: u8) -> u8 {
        match letter {
            b'#' => 255,
            b'+' => 60,
            _ => 0,
        }
    }

    /// What is found in a thumbnail, and the labels.
    fn find(thumbnail: &mut [u8], width: usize, threshold: u8) -> (Option<Digit>, [u8; SIDE * SIDE]) {
        let mut labels = [9; SIDE * SIDE];
        let height = thumbnail.len() / width;
        let cells = Cells::new(thumbnail, width, height);
        (find_digit(&cells, threshold, &mut labels, &mut [9; table::BYTES]), labels)
    }

    #[test]
    fn arms_that_meet_late_are_one_piece() {
        let rows = [b"........", b".#...#..", b".#.#.#..", b".#.#.#..", b"..#.#...", b"........"];
        let mut letter: [u8; 48] = core::array::from_fn(|at| ink(rows[at / 8][at % 8]));
        let digit = find(&mut letter, 8, 16).0.unwrap();
        assert_eq!(digit.bounds, Bounds { x0: 1, y0: 1, x1: 6, y1: 5 });
        assert_eq!(digit.centre.0, 3 * 256 + 128);
    }

    #[test]
    fn bars_stay_and_specks_and_frames_go() {
        let mut rows = [b"................"; 16];
        rows[0] = b"################";
        rows[3] = b".....#.####.....";
        for row in &mut rows[5..9] {
            *row = b"....####.......+";
        }
        for row in &mut rows[9..13] {
            *row = b".......####.....";
        }
        let mut picture: [u8; 256] = core::array::from_fn(|at| ink(rows[at / 16][at % 16]));
        picture[14 * 16 + 1] = 40;
        let (digit, labels) = find(&mut picture, 16, 16);
        assert_eq!(digit.unwrap().bounds, Bounds { x0: 4, y0: 3, x1: 11, y1: 13 });
        assert_eq!((labels[3 * 16 + 8], labels[14 * 16 + 1], labels[3]), (DIGIT, DROPPED, DROPPED));
    }

    #[test]
    fn round_shapes_at_the_border_are_no_frames() {
        let rows = [
            b"....###.....",
            b"..#######...",
            b".###...###..",
            b".##.....###.",
            b"##.......##.",
            b"##...##...##",
            b"##...##...##",
            b"##........##",
            b".##......##.",
            b".###....###.",
            b"..########..",
            b"....###.....",
        ];
        let mut ring: [u8; 144] = core::array::from_fn(|at| ink(rows[at / 12][at % 12]));
        let mut frame = ring;
        let digit = find(&mut ring, 12, 16).0.unwrap();
        assert_eq!(digit.bounds, Bounds { x0: 0, y0: 0, x1: 12, y1: 12 });
        // With a corner it is one, and what is in it the digit.
        for at in [0, 1, 2, 3, 12, 13] {
            frame[at] = 255;
        }
        let digit = find(&mut frame, 12, 16).0.unwrap();
        assert_eq!(digit.bounds, Bounds { x0: 5, y0: 5, x1: 7, y1: 7 });
    }

    #[test]
    fn more_pieces_than_labels() {
        let mut thumbnail = [0; SIDE * SIDE];
        for (at, cell) in thumbnail.iter_mut().enumerate() {
            let (x, y) = (at % SIDE, at / SIDE);
            if x % 2 == 0 && y % 2 == 0 {
                *cell = if (20..30).contains(&x) && (20..40).contains(&y) { 250 } else { 30 };
            }
        }
        let digit = find(&mut thumbnail, SIDE, 1).0.unwrap();
        assert!(digit.bounds.x0 >= 20 && digit.bounds.y1 <= 40, "{digit:?}");
        thumbnail.iter_mut().for_each(|cell| *cell = cell.saturating_mul(30));
        assert!(find(&mut thumbnail, SIDE, 1).0.is_some());
        assert_eq!(find(&mut [0; 4], 4, 1).0, None);
    }
}
