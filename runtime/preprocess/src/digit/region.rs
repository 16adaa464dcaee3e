//! A rectangle of the picture.

use crate::picture::Picture;
use core::ops::Range;

/// Columns `x..x + width` and rows `y..y + height` of the picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

impl Region {
    pub fn whole(picture: &Picture<'_>) -> Self {
        Self { x: 0, y: 0, width: picture.width(), height: picture.height() }
    }

    pub fn longer(&self) -> usize {
        self.width.max(self.height)
    }

    /// The region without its outermost sixteenth on each side.
    pub fn shrunk(&self) -> Self {
        let (x, y) = (self.width / 16, self.height / 16);
        Self { x: self.x + x, y: self.y + y, width: self.width - 2 * x, height: self.height - 2 * y }
    }

    /// The region with `margin` more pixels on each side, as far as the picture goes.
    pub fn grown(&self, margin: usize, picture: &Picture<'_>) -> Self {
        let (x, width) = grow(self.x, self.width, margin, picture.width());
        let (y, height) = grow(self.y, self.height, margin, picture.height());
        Self { x, y, width, height }
    }
}

fn grow(start: usize, length: usize, margin: usize, limit: usize) -> (usize, usize) {
    let from = start.saturating_sub(margin);
    let to = limit.min(start + length + margin);
    (from, to.saturating_sub(from))
}

/// First pixel of part `index` when `length` pixels are split into `parts` nearly equal parts.
///
/// It is `floor(index * length / parts)`, without a product that could overflow 32 bits.
pub(super) fn split(length: usize, parts: usize, index: usize) -> usize {
    let whole = length.checked_div(parts).unwrap_or(0);
    let rest = length.checked_rem(parts).unwrap_or(0);
    index * whole + (index * rest).checked_div(parts).unwrap_or(0)
}

/// All parts that [`split`] makes, without its divisions.
pub(super) fn parts(length: usize, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let whole = length.checked_div(parts).unwrap_or(0);
    let rest = length.checked_rem(parts).unwrap_or(0);
    let (mut end, mut carried) = (0, 0);
    (0..parts).map(move |_| {
        let begin = end;
        (end, carried) = (end + whole, carried + rest);
        if carried >= parts {
            (end, carried) = (end + 1, carried - parts);
        }
        begin..end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_length() {
        for (length, parts) in [(28, 28), (65, 64), (100_000_000, 64), (1, 1), (127, 64)] {
            assert_eq!(split(length, parts, 0), 0);
            assert_eq!(split(length, parts, parts), length);
            for index in 0..parts {
                assert_eq!(split(length, parts, index) as u64, index as u64 * length as u64 / parts as u64);
            }
            let ends = |index: usize| split(length, parts, index)..split(length, parts, index + 1);
            assert!(super::parts(length, parts).eq((0..parts).map(ends)));
        }
    }

    #[test]
    fn growing_stops_at_the_picture() {
        let pixels = [0; 100];
        let picture = Picture::new(10, 10, &pixels).unwrap();
        let region = Region { x: 1, y: 6, width: 5, height: 2 };
        assert_eq!(region.grown(3, &picture), Region { x: 0, y: 3, width: 9, height: 7 });
        assert_eq!(region.longer(), 5);
        let large = Region { x: 10, y: 0, width: 160, height: 15 };
        assert_eq!(large.shrunk(), Region { x: 20, y: 0, width: 140, height: 15 });
    }
}
