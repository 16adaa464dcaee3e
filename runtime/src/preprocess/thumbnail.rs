//! The small copy of the picture in which the digit is looked for.

use super::cells::{Cells, SIDE};
use super::region::{Region, split};
use crate::picture::Picture;

/// Replaces `memory` by the box averages of `region`: one byte per cell, the longer side at most [`SIDE`] cells, aspect
/// kept.
///
/// A region with sides up to [`SIDE`] is its own thumbnail.
pub(super) fn fill<'a>(memory: &'a mut [u8], picture: &Picture<'_>, region: Region) -> Cells<'a> {
    let longer = region.longer();
    let (width, height) = (shrink(region.width, longer), shrink(region.height, longer));
    let mut thumbnail = Cells::new(memory, width, height);
    let mut edges = [0usize; SIDE + 1];
    for (index, edge) in edges.iter_mut().enumerate().take(width + 1) {
        *edge = split(region.width, width, index);
    }
    for (index, cells) in thumbnail.rows_mut().enumerate() {
        let rows = split(region.height, height, index)..split(region.height, height, index + 1);
        let mut sums = [0u32; SIDE];
        for y in rows.clone() {
            let end = region.x + region.width;
            let row = picture.row(region.y + y).get(region.x..end).unwrap_or(&[]);
            add_row(row, &edges, sums.iter_mut().take(width));
        }
        let columns = edges.iter().zip(edges.iter().skip(1));
        for ((cell, sum), (from, to)) in cells.iter_mut().zip(&sums).zip(columns) {
            let area = to.saturating_sub(*from) as u32 * rows.len() as u32;
            *cell = (sum + area / 2).checked_div(area).unwrap_or(0).min(255) as u8;
        }
    }
    thumbnail
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
        let mut memory = [9; 12];
        let thumbnail = fill(&mut memory, &picture, Region::whole(&picture));
        assert!(thumbnail.iter().map(|(_, _, v)| v).eq(pixels));
    }

    #[test]
    fn cells_are_box_averages() {
        let pixels: vec::Vec<u8> = (0..128 * 64).map(|i| if i % 2 == 0 { 10 } else { 20 }).collect();
        let picture = Picture::new(128, 64, &pixels).unwrap();
        let mut memory = [9; 64 * 32];
        let thumbnail = fill(&mut memory, &picture, Region::whole(&picture));
        assert_eq!((thumbnail.width(), thumbnail.height()), (64, 32));
        assert!(thumbnail.iter().all(|(_, _, v)| v == 15));
    }

    #[test]
    fn extreme_shapes_keep_a_cell() {
        let pixels = vec![7; 1_000_000];
        for (width, height) in [(1_000_000, 1), (1, 1_000_000), (1000, 1000)] {
            let picture = Picture::new(width, height, &pixels).unwrap();
            let mut memory = [9; SIDE * SIDE];
            let thumbnail = fill(&mut memory, &picture, Region::whole(&picture));
            assert!(thumbnail.iter().count() >= SIDE && thumbnail.iter().all(|(_, _, v)| v == 7));
        }
    }
}
