//! Connected pieces of ink: which of them are the digit.

use super::bounds::Bounds;
use super::thumbnail::{Cells, SIDE, Thumbnail};

/// Labels are bytes; 0 is no ink.
const MAX_PIECES: usize = 255;

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
    /// True if it looks like a sheet of paper instead: a filled rectangle that is not narrow.
    pub fn is_sheet(&self) -> bool {
        let (width, height) = (self.bounds.width(), self.bounds.height());
        4 * self.area >= 3 * width * height && 2 * width.min(height) >= width.max(height)
    }
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    /// A smaller label of the same piece, or the own one.
    parent: u8,
    kept: bool,
    bounds: Bounds,
    area: u16,
    on_border: u16,
    mass: u32,
}

impl Piece {
    const NONE: Self = Self { parent: 0, kept: false, bounds: Bounds::NONE, area: 0, on_border: 0, mass: 0 };

    /// Ink, less for a piece at the border of `ink`, none for one as long as a side: a frame, a table, a shadow.
    fn weight(&self, ink: &Thumbnail) -> u32 {
        if self.on_border == 0 {
            return self.mass;
        }
        if usize::from(self.on_border) >= ink.width.min(ink.height) {
            return 0;
        }
        let inside = u32::from(self.area.saturating_sub(self.on_border.saturating_mul(4)));
        (self.mass / 2 * inside).checked_div(self.area.into()).unwrap_or(0)
    }
}

/// Memory for the labels of the cells and the pieces they name.
#[derive(Debug)]
pub(super) struct Pieces {
    labels: Cells,
    pieces: [Piece; MAX_PIECES + 1],
    count: u8,
}

impl Pieces {
    pub const fn new() -> Self {
        Self { labels: [[0; SIDE]; SIDE], pieces: [Piece::NONE; MAX_PIECES + 1], count: 0 }
    }

    /// Finds the digit among the cells of `ink` that reach `threshold`; [`Pieces::at`] tells its cells afterwards.
    ///
    /// It is the heaviest piece and what is near to that and no speck (the bar of a 5 may be detached).
    pub fn find_digit(&mut self, ink: &Thumbnail, threshold: u8) -> Option<Digit> {
        let mut threshold = threshold.max(1);
        // Too many pieces: the threshold lies in the texture of the paper.
        while !self.label(ink, threshold) && threshold < 128 {
            threshold = threshold.saturating_mul(2);
        }
        self.measure(ink);
        let heaviest =
            self.pieces.iter().enumerate().max_by_key(|(_, piece)| (piece.weight(ink), piece.mass));
        let (heaviest, bounds) = heaviest.map(|(label, piece)| (label, piece.bounds))?;
        let bounds = self.keep_near(ink, heaviest, bounds);
        self.settle();
        let area = ink.iter().filter(|(x, y, _)| self.at(*x, *y) == DIGIT).count();
        Some(Digit { bounds, area, centre: self.centre(ink)? })
    }

    /// What the cell belongs to: [`DIGIT`], [`DROPPED`] or 0 for the background.
    pub fn at(&self, x: usize, y: usize) -> u8 {
        self.labels.get(y).and_then(|row| row.get(x)).copied().unwrap_or(0)
    }

    /// Names the 8-connected pieces. False if there are more than labels: the cells left over stay without.
    fn label(&mut self, ink: &Thumbnail, threshold: u8) -> bool {
        self.labels = [[0; SIDE]; SIDE];
        self.count = 0;
        self.pieces = [Piece::NONE; MAX_PIECES + 1];
        let mut complete = true;
        for (x, y, value) in ink.iter() {
            if value < threshold {
                continue;
            }
            let label = match self.join_neighbours(x, y) {
                Some(label) => Some(label),
                None => self.fresh(),
            };
            complete &= label.is_some();
            if let Some(cell) = self.labels.get_mut(y).and_then(|row| row.get_mut(x)) {
                *cell = label.unwrap_or(0);
            }
        }
        complete
    }

    fn fresh(&mut self) -> Option<u8> {
        self.count = self.count.checked_add(1)?;
        let piece = self.pieces.get_mut(usize::from(self.count))?;
        piece.parent = self.count;
        Some(self.count)
    }

    /// The label of the cells above and to the left, which become one piece.
    fn join_neighbours(&mut self, x: usize, y: usize) -> Option<u8> {
        let above = y.wrapping_sub(1);
        let places = [(x.wrapping_sub(1), y), (x.wrapping_sub(1), above), (x, above), (x + 1, above)];
        let mut joined = 0;
        for (x, y) in places {
            let label = self.root(self.at(x, y));
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
        if let Some(piece) = self.pieces.get_mut(usize::from(larger)) {
            piece.parent = smaller;
        }
        smaller
    }

    /// The smallest label of the piece. Parents are smaller than their children, so this ends.
    fn root(&self, label: u8) -> u8 {
        let mut label = label;
        while let Some(piece) = self.pieces.get(usize::from(label)) {
            if piece.parent >= label {
                break;
            }
            label = piece.parent;
        }
        label
    }

    fn measure(&mut self, ink: &Thumbnail) {
        for (x, y, value) in ink.iter() {
            let label = self.root(self.at(x, y));
            if label == 0 {
                continue;
            }
            if let Some(piece) = self.pieces.get_mut(usize::from(label)) {
                let cell = Bounds::cell(x, y);
                piece.bounds = if piece.area == 0 { cell } else { piece.bounds.union(cell) };
                piece.area += 1;
                piece.on_border += u16::from(ink.on_border(x, y));
                piece.mass += u32::from(value);
            }
        }
    }

    /// Marks the digit's pieces and gives their common bounds.
    fn keep_near(&mut self, ink: &Thumbnail, heaviest: usize, bounds: Bounds) -> Bounds {
        let mut bounds = bounds;
        let mut least = 0;
        if let Some(piece) = self.pieces.get_mut(heaviest) {
            piece.kept = true;
            least = piece.mass / SPECK;
        }
        // Each round lengthens the reach, so a dotted line is followed to its end.
        let mut grown = true;
        while grown {
            grown = false;
            for piece in self.pieces.iter_mut().filter(|piece| !piece.kept && piece.area > 0) {
                let near = piece.bounds.gap(&bounds) <= bounds.longer() / REACH;
                if near && piece.weight(ink) > least {
                    piece.kept = true;
                    bounds = bounds.union(piece.bounds);
                    grown = true;
                }
            }
        }
        bounds
    }

    /// Replaces the labels by [`DIGIT`] and [`DROPPED`].
    fn settle(&mut self) {
        for label in 0..=MAX_PIECES as u8 {
            let root = self.root(label);
            let kept = self.pieces.get(usize::from(root)).is_some_and(|piece| piece.kept);
            if let Some(piece) = self.pieces.get_mut(usize::from(label)) {
                piece.kept = kept;
            }
        }
        for label in self.labels.iter_mut().flatten().filter(|label| **label != 0) {
            let kept = self.pieces.get(usize::from(*label)).is_some_and(|piece| piece.kept);
            *label = if kept { DIGIT } else { DROPPED };
        }
    }

    fn centre(&self, ink: &Thumbnail) -> Option<(u32, u32)> {
        let (mut mass, mut sum_x, mut sum_y) = (0u32, 0u32, 0u32);
        for (x, y, value) in ink.iter().filter(|(x, y, _)| self.at(*x, *y) == DIGIT) {
            let value = u32::from(value);
            mass += value;
            // Twice the position of the cell's middle: at most 4096 * 255 * 127 < 2^27.
            sum_x += value * (2 * x as u32 + 1);
            sum_y += value * (2 * y as u32 + 1);
        }
        let place = |sum: u32| (u64::from(sum) * 128).checked_div(mass.into()).map(|place| place as u32);
        Some((place(sum_x)?, place(sum_y)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thumbnail from rows of text: `#` is full ink, `+` faint ink.
    fn ink(text: &[&str]) -> Thumbnail {
        let mut thumbnail = Thumbnail::new();
        (thumbnail.width, thumbnail.height) = (text[0].len(), text.len());
        for (cells, line) in thumbnail.cells.iter_mut().zip(text) {
            for (cell, letter) in cells.iter_mut().zip(line.bytes()) {
                *cell = match letter {
                    b'#' => 255,
                    b'+' => 60,
                    _ => 0,
                };
            }
        }
        thumbnail
    }

    #[test]
    fn arms_that_meet_late_are_one_piece() {
        let letter = ink(&["........", ".#...#..", ".#.#.#..", ".#.#.#..", "..#.#...", "........"]);
        let digit = Pieces::new().find_digit(&letter, 16).unwrap();
        assert_eq!(digit.bounds, Bounds { x0: 1, y0: 1, x1: 6, y1: 5 });
        assert_eq!(digit.centre.0, 3 * 256 + 128);
    }

    #[test]
    fn bars_stay_and_specks_and_frames_go() {
        let mut rows = ["................"; 16];
        rows[0] = "################";
        rows[3] = ".....#.####.....";
        for row in &mut rows[5..9] {
            *row = "....####.......+";
        }
        for row in &mut rows[9..13] {
            *row = ".......####.....";
        }
        let mut pieces = Pieces::new();
        let mut picture = ink(&rows);
        picture.cells[14][1] = 40;
        let digit = pieces.find_digit(&picture, 16).unwrap();
        assert_eq!(digit.bounds, Bounds { x0: 4, y0: 3, x1: 11, y1: 13 });
        assert_eq!((pieces.at(8, 3), pieces.at(1, 14), pieces.at(3, 0)), (DIGIT, DROPPED, DROPPED));
    }

    #[test]
    fn more_pieces_than_labels() {
        let mut thumbnail = Thumbnail::new();
        (thumbnail.width, thumbnail.height) = (SIDE, SIDE);
        for (y, row) in thumbnail.cells.iter_mut().enumerate().step_by(2) {
            for (x, cell) in row.iter_mut().enumerate().step_by(2) {
                *cell = if (20..30).contains(&x) && (20..40).contains(&y) { 250 } else { 30 };
            }
        }
        let digit = Pieces::new().find_digit(&thumbnail, 1).unwrap();
        assert!(digit.bounds.x0 >= 20 && digit.bounds.y1 <= 40, "{digit:?}");
        thumbnail.cells.iter_mut().flatten().for_each(|cell| *cell = cell.saturating_mul(30));
        assert!(Pieces::new().find_digit(&thumbnail, 1).is_some());
        assert_eq!(Pieces::new().find_digit(&ink(&["...."]), 1), None);
    }
}
