//! The small copy of the picture in which the digit is looked for.

use super::region::{Region, split};
use crate::picture::Picture;

/// Longest side of a thumbnail, in cells.
pub(super) const SIDE: usize = 64;

/// A byte per cell.
pub(super) type Cells = [[u8; SIDE]; SIDE];

/// Box averages of a region: one byte per cell, the longer side at most [`SIDE`] cells, aspect kept.
///
/// A region with sides up to [`SIDE`] is its own thumbnail.
#[derive(Debug)]
pub(super) struct Thumbnail {
    pub width: usize,
    pub height: usize,
    pub cells: Cells,
}

impl Thumbnail {
    pub const fn new() -> Self {
        Self { width: 0, height: 0, cells: [[0; SIDE]; SIDE] }
    }

    /// Replaces the contents by the averages over `region`.
    pub fn fill(&mut self, picture: &Picture<'_>, region: Region) {
        let longer = region.longer();
        self.width = shrink(region.width, longer);
        self.height = shrink(region.height, longer);
        let mut edges = [0usize; SIDE + 1];
        for (index, edge) in edges.iter_mut().enumerate().take(self.width + 1) {
            *edge = split(region.width, self.width, index);
        }
        let (width, height) = (self.width, self.height);
        for (index, cells) in self.cells.iter_mut().enumerate().take(height) {
            let rows = split(region.height, height, index)..split(region.height, height, index + 1);
            let mut sums = [0u32; SIDE];
            for y in rows.clone() {
                let end = region.x + region.width;
                let row = picture.row(region.y + y).get(region.x..end).unwrap_or(&[]);
                add_row(row, &edges, sums.iter_mut().take(width));
            }
            let columns = edges.iter().zip(edges.iter().skip(1));
            for ((cell, sum), (from, to)) in cells.iter_mut().zip(&sums).zip(columns).take(width) {
                let area = to.saturating_sub(*from) as u32 * rows.len() as u32;
                *cell = (sum + area / 2).checked_div(area).unwrap_or(0).min(255) as u8;
            }
        }
    }

    /// Rows of cells, from the top.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.cells.iter().take(self.height).map(|row| row.get(..self.width).unwrap_or(&[]))
    }

    /// Every cell as `(x, y, value)`.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, u8)> {
        self.rows().enumerate().flat_map(|(y, row)| row.iter().enumerate().map(move |(x, v)| (x, y, *v)))
    }

    /// True for cells in the outermost row or column.
    pub fn on_border(&self, x: usize, y: usize) -> bool {
        x == 0 || y == 0 || x + 1 >= self.width || y + 1 >= self.height
    }
}

/// Adds each part of `row` between two edges to its sum. A sum stays below 100e6 / 64 * 2 * 255 < 2^32.
fn add_row<'a>(row: &[u8], edges: &[usize], sums: impl Iterator<Item = &'a mut u32>) {
    for ((sum, from), to) in sums.zip(edges).zip(edges.iter().skip(1)) {
        let part = row.get(*from..*to).unwrap_or(&[]);
        *sum += part.iter().map(|value| u32::from(*value)).sum::<u32>();
    }
}

/// Cells for `length` pixels when `longer` pixels become at most [`SIDE`] cells; at least one.
fn shrink(length: usize, longer: usize) -> usize {
    if longer <= SIDE {
        return length;
    }
    let cells = (length as u64 * SIDE as u64 + longer as u64 / 2).checked_div(longer as u64).unwrap_or(1);
    (cells as usize).clamp(1, SIDE)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;

    #[test]
    fn small_pictures_are_their_own_thumbnail() {
        let pixels: [u8; 12] = core::array::from_fn(|i| i as u8);
        let picture = Picture::new(4, 3, &pixels).unwrap();
        let mut thumbnail = Thumbnail::new();
        thumbnail.fill(&picture, Region::whole(&picture));
        assert!(thumbnail.iter().map(|(_, _, v)| v).eq(pixels));
    }

    #[test]
    fn cells_are_box_averages() {
        let pixels: vec::Vec<u8> = (0..128 * 64).map(|i| if i % 2 == 0 { 10 } else { 20 }).collect();
        let picture = Picture::new(128, 64, &pixels).unwrap();
        let mut thumbnail = Thumbnail::new();
        thumbnail.fill(&picture, Region::whole(&picture));
        assert_eq!((thumbnail.width, thumbnail.height), (64, 32));
        assert!(thumbnail.iter().all(|(_, _, v)| v == 15));
    }

    #[test]
    fn extreme_shapes_keep_a_cell() {
        let pixels = vec![7; 1_000_000];
        for (width, height) in [(1_000_000, 1), (1, 1_000_000), (1000, 1000)] {
            let picture = Picture::new(width, height, &pixels).unwrap();
            let mut thumbnail = Thumbnail::new();
            thumbnail.fill(&picture, Region::whole(&picture));
            assert!(thumbnail.iter().count() >= SIDE && thumbnail.iter().all(|(_, _, v)| v == 7));
        }
    }
}
