//! The small copy of the picture in which the digit is looked for.

use super::cells::{Cells, SIDE};
use super::region::{Region, parts};
use crate::picture::Picture;

/// Replaces `memory` by the box averages of `region`: one byte per cell, the longer side at most [`SIDE`] cells, aspect
/// kept.
///
/// A region with sides up to [`SIDE`] is its own thumbnail.
#[inline(never)]
pub(super) fn fill<'a>(memory: &'a mut [u8], picture: &Picture<'_>, region: Region) -> Cells<'a> {
    let longer = region.longer();
    let (width, height) = (shrink(region.width, longer), shrink(region.height, longer));
    let mut thumbnail = Cells::new(memory, width, height);
    for (cells, rows) in thumbnail.rows_mut().zip(parts(region.height, height)) {
        for (cell, columns) in cells.iter_mut().zip(parts(region.width, width)) {
            let part = Region {
                x: region.x + columns.start,
                y: region.y + rows.start,
                width: columns.len(),
                height: rows.len(),
            };
            *cell = average(picture, part);
        }
    }
    thumbnail
}

/// The average of a region. Its sum stays below 100e6 / 64 * 2 * 255 < 2^32.
fn average(picture: &Picture<'_>, region: Region) -> u8 {
    let Region { x, y, width, height } = region;
    let row = |y: usize| picture.row(y).get(x..x + width).unwrap_or(&[]);
    let sum: u32 = (y..y + height).map(|y| row(y).iter().map(|&value| u32::from(value)).sum::<u32>()).sum();
    let area = (width * height) as u32;
    (sum + area / 2).checked_div(area).unwrap_or(0).min(255) as u8
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
