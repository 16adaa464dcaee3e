//! A byte for each cell of a thumbnail.

/// Longest side of a thumbnail, in cells.
pub(super) const SIDE: usize = 64;

/// Rows of bytes without gaps: a small picture takes no more memory than it has pixels.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    width: usize,
    height: usize,
    bytes: &'a mut [u8],
}

impl<'a> Cells<'a> {
    /// The first bytes of `memory` as cells, with what they hold. Of too little memory the rows at the end are absent.
    pub fn new(memory: &'a mut [u8], width: usize, height: usize) -> Self {
        let length = memory.len().min(width.saturating_mul(height));
        Self { width, height, bytes: memory.get_mut(..length).unwrap_or_default() }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn height(&self) -> usize {
        self.height
    }

    /// The cell in column `x` of row `y`; 0 beside the cells.
    pub fn at(&self, x: usize, y: usize) -> u8 {
        if x >= self.width || y >= self.height {
            return 0;
        }
        self.bytes.get(y * self.width + x).copied().unwrap_or(0)
    }

    /// Replaces a cell; does nothing beside the cells.
    pub fn set(&mut self, x: usize, y: usize, value: u8) {
        if let Some(cell) = self.rows_mut().nth(y).and_then(|row| row.get_mut(x)) {
            *cell = value;
        }
    }

    /// All cells, row by row.
    pub fn bytes(&mut self) -> &mut [u8] {
        self.bytes
    }

    /// Rows of cells, from the top.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.bytes.chunks(self.width.max(1))
    }

    /// Rows of cells, from the top.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.bytes.chunks_mut(self.width.max(1))
    }

    /// Every cell as `(x, y, value)`.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, u8)> {
        self.rows().enumerate().flat_map(|(y, row)| row.iter().enumerate().map(move |(x, v)| (x, y, *v)))
    }

    /// Cells in the outermost rows and columns, or almost as many for a line of cells.
    pub fn border(&self) -> usize {
        (2 * (self.width + self.height)).saturating_sub(4)
    }

    /// True for the four cells in the corners, or the ends of a line of cells.
    pub fn in_corner(&self, x: usize, y: usize) -> bool {
        (x == 0 || x + 1 >= self.width) && (y == 0 || y + 1 >= self.height)
    }

    /// True for cells in the outermost row or column.
    pub fn on_border(&self, x: usize, y: usize) -> bool {
        x == 0 || y == 0 || x + 1 >= self.width || y + 1 >= self.height
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_the_cells_there_is_nothing() {
        let mut memory = [7; 12];
        let mut cells = Cells::new(&mut memory, 3, 2);
        for (x, y) in [(3, 0), (0, 2), (usize::MAX, 0), (0, usize::MAX)] {
            assert_eq!(cells.at(x, y), 0);
            cells.set(x, y, 9);
        }
        cells.set(2, 1, 8);
        assert_eq!(memory, [7, 7, 7, 7, 7, 8, 7, 7, 7, 7, 7, 7]);
    }
}
