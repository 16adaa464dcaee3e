//! The sheet that is drawn on: strokes become grey pixels, in integers.

use edge8_preprocess::{Picture, PictureError};

/// Rows and columns of the sheet.
pub const SIDE: usize = 56;

/// A place on the sheet, in 1/16 pixels from its corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// To the right.
    pub x: i32,
    /// Down.
    pub y: i32,
}

impl Spot {
    /// Parts of a pixel.
    pub const UNIT: i32 = 16;

    /// The same spot, or the nearest one that is at most [`BEYOND`] away from the sheet: what the arithmetic of a stroke has room
    /// for.
    fn near_sheet(self) -> Self {
        let last = SIDE as i32 * Self::UNIT - 1 + BEYOND;
        Self { x: self.x.clamp(-BEYOND, last), y: self.y.clamp(-BEYOND, last) }
    }

    fn minus(self, other: Self) -> Self {
        Self { x: self.x - other.x, y: self.y - other.y }
    }

    fn dot(self, other: Self) -> i32 {
        self.x * other.x + self.y * other.y
    }
}

/// Some rows and columns of the sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// The first column, and the one behind the last.
    pub columns: (usize, usize),
    /// The first row, and the one behind the last.
    pub rows: (usize, usize),
}

impl Area {
    /// The whole sheet.
    pub const ALL: Self = Self { columns: (0, SIDE), rows: (0, SIDE) };

    /// The smallest area with both in it.
    pub fn and(self, other: Self) -> Self {
        let hull = |a: (usize, usize), b: (usize, usize)| (a.0.min(b.0), a.1.max(b.1));
        Self { columns: hull(self.columns, other.columns), rows: hull(self.rows, other.rows) }
    }
}

/// Half the width of a stroke, in 1/16 pixels.
const RADIUS: i32 = 36;

/// So far from the sheet, in 1/16 pixels, a stroke leaves no ink on it.
const BEYOND: i32 = 64;

/// The sheet: `[row][column]`, 0 = paper, 255 = ink.
#[derive(Clone, Debug)]
pub struct Canvas {
    pixels: [u8; SIDE * SIDE],
}

impl Canvas {
    /// An empty sheet.
    pub const fn new() -> Self {
        Self { pixels: [0; SIDE * SIDE] }
    }

    /// Takes all ink away.
    pub fn clear(&mut self) {
        self.pixels.fill(0);
    }

    /// Whether there is no ink.
    pub fn is_empty(&self) -> bool {
        self.pixels.iter().all(|&ink| ink == 0)
    }

    /// Draws a straight stroke with round ends; which part of the sheet it may have changed.
    pub fn stroke(&mut self, from: Spot, to: Spot) -> Area {
        let line = Line::new(from.near_sheet(), to.near_sheet());
        let area = line.area();
        let rows = self.pixels.chunks_exact_mut(SIDE).enumerate().take(area.rows.1).skip(area.rows.0);
        for (y, row) in rows {
            for (x, pixel) in row.iter_mut().enumerate().take(area.columns.1).skip(area.columns.0) {
                let centre = |index: usize| index as i32 * Spot::UNIT + Spot::UNIT / 2;
                // Where strokes meet, the darker one stays: their edges would else be seen in the ink.
                *pixel = line.ink(Spot { x: centre(x), y: centre(y) }).max(*pixel);
            }
        }
        area
    }

    /// The ink of a row, from the left.
    pub fn row(&self, y: usize) -> &[u8] {
        self.pixels.chunks_exact(SIDE).nth(y).unwrap_or(&[])
    }

    /// The sheet as pre-processing takes it.
    ///
    /// # Errors
    /// None: a sheet has pixels.
    pub fn picture(&self) -> Result<Picture<'_>, PictureError> {
        Picture::new(SIDE, SIDE, &self.pixels)
    }
}

impl Default for Canvas {
    fn default() -> Self {
        Self::new()
    }
}

/// A line from one spot to another.
struct Line {
    from: Spot,
    to: Spot,
    /// From one to the other.
    way: Spot,
    /// The square of its length.
    square: i32,
    /// Its length in 1/256 pixels.
    length: i32,
}

impl Line {
    fn new(from: Spot, to: Spot) -> Self {
        let way = to.minus(from);
        let square = way.dot(way);
        // At most 2 * 1023^2 * 256 < 2^29.
        Self { from, to, way, square, length: root(square << 8) }
    }

    /// The pixels that get ink.
    fn area(&self) -> Area {
        let reach = RADIUS + Spot::UNIT / 2;
        let span = |a: i32, b: i32| {
            let first = (a.min(b) - reach) / Spot::UNIT;
            let end = (a.max(b) + reach) / Spot::UNIT + 1;
            let on_sheet = |pixel: i32| pixel.clamp(0, SIDE as i32) as usize;
            (on_sheet(first), on_sheet(end))
        };
        Area { columns: span(self.from.x, self.to.x), rows: span(self.from.y, self.to.y) }
    }

    /// How dark a pixel becomes: the stroke's edge is a ramp, one pixel wide.
    fn ink(&self, centre: Spot) -> u8 {
        let inside = RADIUS + Spot::UNIT / 2 - self.distance(centre);
        (inside.clamp(0, Spot::UNIT) * 255 / Spot::UNIT) as u8
    }

    /// From a spot to the nearest one of the line, in 1/16 pixels.
    fn distance(&self, spot: Spot) -> i32 {
        let (a, b) = (spot.minus(self.from), spot.minus(self.to));
        let along = a.dot(self.way);
        if along <= 0 {
            return root(a.dot(a));
        }
        if along >= self.square {
            return root(b.dot(b));
        }
        // The area of the parallelogram over its base.
        let area = (a.x * self.way.y - a.y * self.way.x).abs();
        (area * Spot::UNIT).checked_div(self.length).unwrap_or(0)
    }
}

/// The square root, rounded down. Of a number that is not negative.
fn root(square: i32) -> i32 {
    (square as u32).isqrt() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: i32, y: i32) -> Spot {
        Spot { x: x * Spot::UNIT, y: y * Spot::UNIT }
    }

    #[test]
    fn a_stroke_is_as_wide_everywhere_and_soft_at_its_edges() {
        let mut canvas = Canvas::new();
        let area = canvas.stroke(at(10, 20), at(40, 20));
        assert_eq!(area, Area { columns: (7, 43), rows: (17, 23) });
        let column = |x: usize| [17, 18, 19, 20, 21, 22].map(|y| canvas.row(y)[x]);
        assert_eq!(column(25), [63, 255, 255, 255, 255, 63]);
        assert_eq!(column(12), column(38));
        assert_eq!([canvas.row(20)[6], canvas.row(20)[25], canvas.row(16)[25]], [0, 255, 0]);
    }

    #[test]
    fn all_directions_are_alike() {
        for (from, to) in [((28, 8), (28, 48)), ((8, 28), (48, 28)), ((8, 8), (48, 48)), ((28, 28), (28, 28))]
        {
            let mut one = Canvas::new();
            let mut other = Canvas::new();
            one.stroke(at(from.0, from.1), at(to.0, to.1));
            other.stroke(at(to.0, to.1), at(from.0, from.1));
            assert_eq!(one.pixels, other.pixels);
            let transposed: Vec<u8> =
                (0..SIDE * SIDE).map(|i| one.pixels[i % SIDE * SIDE + i / SIDE]).collect();
            let mut third = Canvas::new();
            third.stroke(at(from.1, from.0), at(to.1, to.0));
            assert_eq!(third.pixels[..], transposed[..]);
        }
    }

    #[test]
    fn any_spot_is_drawn_on_the_sheet() {
        let mut canvas = Canvas::new();
        let far = [i32::MIN, -1, 0, 895, 896, i32::MAX];
        for (x, y) in far.iter().flat_map(|&x| far.map(|y| (x, y))) {
            let area = canvas.stroke(Spot { x, y }, Spot { x: y, y: x });
            assert!(area.columns.1 <= SIDE && area.rows.1 <= SIDE);
        }
        assert!(!canvas.is_empty());
        canvas.clear();
        assert!(canvas.is_empty());
    }

    #[test]
    fn a_stroke_beside_the_sheet_leaves_no_ink() {
        let side = SIDE as i32;
        let mut canvas = Canvas::new();
        for far in [3, 4, 1000] {
            canvas.stroke(at(side + far, 5), at(side + far, 50));
            canvas.stroke(at(-far, 5), at(-far, 50));
            canvas.stroke(at(5, -far), at(50, -far));
        }
        assert!(canvas.is_empty());
        // What crosses the edge is drawn up to it.
        canvas.stroke(at(50, 20), at(side + 1000, 20));
        assert_eq!([canvas.row(20)[55], canvas.row(10)[55]], [255, 0]);
    }
}
