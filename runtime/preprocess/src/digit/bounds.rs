//! A rectangle of the thumbnail.

use super::cells::SIDE;

/// Cells `x0..x1` and `y0..y1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub x0: u8,
    pub y0: u8,
    pub x1: u8,
    pub y1: u8,
}

impl Bounds {
    /// No cell.
    pub const NONE: Self = Self { x0: 0, y0: 0, x1: 0, y1: 0 };

    /// The one cell `(x, y)`.
    pub fn cell(x: usize, y: usize) -> Self {
        let (x, y) = (x.min(SIDE - 1) as u8, y.min(SIDE - 1) as u8);
        Self { x0: x, y0: y, x1: x + 1, y1: y + 1 }
    }

    /// The least bounds around both.
    pub fn union(self, other: Self) -> Self {
        Self {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    pub fn width(&self) -> usize {
        self.x1.saturating_sub(self.x0).into()
    }

    pub fn height(&self) -> usize {
        self.y1.saturating_sub(self.y0).into()
    }

    pub fn longer(&self) -> usize {
        self.width().max(self.height())
    }

    pub fn area(&self) -> usize {
        self.width() * self.height()
    }

    /// True if `inked` cells in it look like a sheet of paper: a filled rectangle that is not narrow.
    pub fn is_sheet(&self, inked: usize) -> bool {
        let (width, height) = (self.width(), self.height());
        4 * inked >= 3 * self.area() && 2 * width.min(height) >= width.max(height)
    }

    /// True for the cells in its corners.
    pub fn has_corner(&self, x: usize, y: usize) -> bool {
        let ends = |at: usize, from: u8, to: u8| at == usize::from(from) || at + 1 == usize::from(to);
        ends(x, self.x0, self.x1) && ends(y, self.y0, self.y1)
    }

    /// Cells between the two along the axis where they are further apart; 0 if they overlap or touch.
    pub fn gap(&self, other: &Self) -> usize {
        let x = other.x0.saturating_sub(self.x1).max(self.x0.saturating_sub(other.x1));
        let y = other.y0.saturating_sub(self.y1).max(self.y0.saturating_sub(other.y1));
        x.max(y).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_unions() {
        let one = Bounds { x0: 2, y0: 3, x1: 6, y1: 4 };
        let other = Bounds::cell(9, 2);
        assert_eq!((one.gap(&other), other.gap(&one), one.gap(&one)), (3, 3, 0));
        let both = one.union(other);
        assert_eq!(both, Bounds { x0: 2, y0: 2, x1: 10, y1: 4 });
        assert_eq!((both.width(), both.height(), both.longer()), (8, 2, 8));
    }
}
