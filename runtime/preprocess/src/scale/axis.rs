//! One of the two sides: which part of the picture becomes which part of the input.

use core::num::NonZero;
use edge8::{Fit, Sizing};

/// Rows, or columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    /// First pixel of the picture that counts.
    pub(super) from: usize,
    /// How many count, at least 1.
    pub(super) source: usize,
    /// First place of the input that is filled with them.
    pub(super) to: usize,
    /// How many places, at least 1.
    pub(super) target: usize,
}

impl Axis {
    /// Rows and columns for a picture of some height and width.
    pub(super) fn both(sizing: &Sizing, [height, width]: [usize; 2]) -> [Self; 2] {
        let whole = |source, target| Self { from: 0, source, to: 0, target };
        let target = [sizing.height.into(), sizing.width.into()];
        let mut axes = [whole(height, target[0]), whole(width, target[1])];
        // Up to 65,535 times 4,096: in 32 bits.
        let [tall, wide] = [height * target[1], width * target[0]];
        match sizing.fit {
            Fit::Crop if wide > tall => axes[1].cut_source(rounded(tall, target[0])),
            Fit::Crop => axes[0].cut_source(rounded(wide, target[1])),
            Fit::Letterbox if wide > tall => axes[0].cut_target(rounded(tall, width)),
            Fit::Letterbox => axes[1].cut_target(rounded(wide, height)),
            Fit::Stretch => {}
        }
        axes
    }

    fn cut_source(&mut self, len: usize) {
        let len = len.min(self.source).max(1);
        self.from = (self.source - len) / 2;
        self.source = len;
    }

    fn cut_target(&mut self, len: usize) {
        let len = len.min(self.target).max(1);
        self.to = (self.target - len) / 2;
        self.target = len;
    }

    /// Whether pixels are averaged; else values lie between them.
    pub(super) fn shrinks(&self) -> bool {
        self.source >= self.target
    }
}

/// A divisor of a source that has been checked, in a form that cannot be zero: no division of a device panics.
pub(super) fn divisor(value: usize) -> NonZero<usize> {
    NonZero::new(value).unwrap_or(NonZero::<usize>::MIN)
}

/// The same in 32 bits.
pub(super) fn divisor_u32(value: u32) -> NonZero<u32> {
    NonZero::new(value).unwrap_or(NonZero::<u32>::MIN)
}

fn rounded(product: usize, by: usize) -> usize {
    (product + by / 2).checked_div(by).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(fit: Fit, size: [usize; 2]) -> [Axis; 2] {
        Axis::both(&Sizing { fit, ..Sizing::stretch([20, 30], 1) }, size)
    }

    #[test]
    fn what_protrudes_is_cut_or_filled_alike_on_both_sides() {
        let axis = |from, source, to, target| Axis { from, source, to, target };
        assert_eq!(axes(Fit::Stretch, [100, 100]), [axis(0, 100, 0, 20), axis(0, 100, 0, 30)]);
        assert_eq!(axes(Fit::Crop, [100, 100]), [axis(16, 67, 0, 20), axis(0, 100, 0, 30)]);
        assert_eq!(axes(Fit::Crop, [20, 100]), [axis(0, 20, 0, 20), axis(35, 30, 0, 30)]);
        assert_eq!(axes(Fit::Letterbox, [100, 100]), [axis(0, 100, 0, 20), axis(0, 100, 5, 20)]);
        assert_eq!(axes(Fit::Letterbox, [1, 60_000]), [axis(0, 1, 9, 1), axis(0, 60_000, 0, 30)]);
        assert_eq!(axes(Fit::Crop, [60_000, 1]), [axis(29_999, 1, 0, 20), axis(0, 1, 0, 30)]);
    }
}
