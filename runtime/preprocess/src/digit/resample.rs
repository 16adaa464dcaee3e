//! Pixels of the picture averaged into pixels of the input.

use crate::picture::Picture;

/// Fraction bits of a position.
const BITS: u32 = 16;

/// An interval of pixels: `from..to` in 1/65536 pixels, within the picture.
///
/// As wide as an output pixel when the picture shrinks. One pixel wide when it grows: averaging over that interval is
/// linear interpolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    from: u64,
    to: u64,
}

/// How one axis of the picture maps to one axis of the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    start: i64,
    step: i64,
    limit: i64,
}

impl Axis {
    /// Output pixel 0 starts `count / 2` steps before the middle of pixels `from..to` of `limit`; `step` is
    /// the length of an output pixel in 1/65536 pixels.
    pub fn centred(from: usize, to: usize, step: i64, count: usize, limit: usize) -> Self {
        let middle = ((from as i64 + to as i64) << BITS) / 2;
        Self { start: middle - step * count as i64 / 2, step, limit: (limit as i64) << BITS }
    }

    /// What output pixel `index` averages; possibly empty.
    pub fn span(&self, index: usize) -> Span {
        let width = self.step.max(1 << BITS);
        let from = self.start + self.step * index as i64 + (self.step - width) / 2;
        let clip = |position: i64| position.min(self.limit).max(0) as u64;
        Span { from: clip(from), to: clip(from + width) }
    }

    /// Output pixels from output pixel 0 to `position`, which is in 1/256 pixels of the picture; in 1/256.
    pub fn place(&self, position: i64) -> i64 {
        ((position << (BITS - 8)) - self.start)
            .checked_mul(256)
            .and_then(|way| way.checked_div(self.step))
            .unwrap_or(0)
    }
}

/// The step at which `pixels` pixels become `count` output pixels.
pub(super) fn step(pixels: usize, count: usize) -> i64 {
    ((pixels as i64) << BITS).checked_div(count as i64).unwrap_or(0).max(1)
}

impl Span {
    fn first(&self) -> usize {
        (self.from >> BITS) as usize
    }

    /// One past the last pixel touched.
    fn end(&self) -> usize {
        ((self.to + (1 << BITS) - 1) >> BITS) as usize
    }

    /// The part of pixel `index` that is covered, in 1/256.
    fn weight(&self, index: usize) -> u64 {
        let left = (index as u64) << BITS;
        let right = left + (1 << BITS);
        self.to.min(right).saturating_sub(self.from.max(left)) >> (BITS - 8)
    }

    /// First and last pixel touched.
    pub fn ends(&self) -> (usize, usize) {
        (self.first(), self.end().saturating_sub(1).max(self.first()))
    }
}

/// The average of the picture over `rows` and `columns`, or `None` if they are empty.
///
/// The sums stay below 10^8 * 255 * 2^16 < 2^51.
pub(super) fn average(picture: &Picture<'_>, columns: Span, rows: Span) -> Option<u8> {
    let (first, last) = columns.ends();
    let (head, tail) = (columns.weight(first), if last > first { columns.weight(last) } else { 0 });
    let (mut sum, mut area) = (0u64, 0u64);
    for y in rows.first()..rows.end() {
        let row = picture.row(y);
        let pixel = |x: usize| row.get(x).copied().map_or(0, u64::from);
        let inner = row.get(first + 1..last).unwrap_or(&[]);
        let whole: u64 = inner.iter().map(|value| u64::from(*value)).sum();
        let weight = rows.weight(y);
        sum += weight * (head * pixel(first) + 256 * whole + tail * pixel(last));
        area += weight * (head + 256 * inner.len() as u64 + tail);
    }
    (sum + area / 2).checked_div(area).map(|mean| mean.min(255) as u8)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn along(axis: Axis, row: &[u8], count: usize) -> Vec<Option<u8>> {
        let picture = Picture::new(row.len(), 1, row).unwrap();
        let line = Axis::centred(0, 1, 1 << BITS, 1, 1).span(0);
        (0..count).map(|index| average(&picture, axis.span(index), line)).collect()
    }

    #[test]
    fn a_step_of_one_copies() {
        let row = [10, 20, 90, 0, 255];
        let axis = Axis::centred(1, 5, step(4, 4), 4, 5);
        assert_eq!(along(axis, &row, 4), [20, 90, 0, 255].map(Some));
        assert_eq!(axis.place(2 * 256), 256);
    }

    #[test]
    fn shrinking_averages_and_growing_interpolates() {
        let row = [0, 100, 200, 100];
        assert_eq!(along(Axis::centred(0, 4, step(4, 2), 2, 4), &row, 2), [50, 150].map(Some));
        assert_eq!(along(Axis::centred(0, 4, step(3, 2), 2, 4), &row, 2), [67, 167].map(Some));
        let grown = along(Axis::centred(0, 4, step(4, 8), 8, 4), &row, 8);
        assert_eq!(grown, [0, 25, 75, 125, 175, 175, 125, 100].map(Some));
    }

    #[test]
    fn outside_there_is_nothing() {
        let axis = Axis { start: -5 << BITS, step: 1 << BITS, limit: 2 << BITS };
        assert_eq!(along(axis, &[9, 9], 8), [None, None, None, None, None, Some(9), Some(9), None]);
    }
}
