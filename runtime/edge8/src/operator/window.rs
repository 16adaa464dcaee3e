//! How a kernel moves over its input: convolutions and pools.

use super::fields::{self, Record, half_word};
use crate::error::Problem;
use crate::tensor::Shape;
use core::ops::Range;

/// How a kernel moves over its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the kernel, each at least 1.
    pub kernel: [u16; 2],
    /// Vertical and horizontal step, each at least 1.
    pub stride: [u16; 2],
    /// Rows of padding above and columns of padding to the left; less than the kernel. What is needed below and to
    /// the right follows from the output's shape.
    pub padding: [u16; 2],
}

impl Window {
    /// Reads six `u16`: kernel, stride, padding.
    #[inline]
    pub(super) fn decode(record: &Record, at: usize) -> Result<Self, Problem> {
        let pair = |at| Ok([half_word(record, at)?, half_word(record, at + 2)?]);
        Ok(Self { kernel: pair(at)?, stride: pair(at + 4)?, padding: pair(at + 8)? })
    }

    /// The same of a record at compile time.
    #[inline(always)]
    pub(super) const fn of(record: &Record, at: usize) -> Self {
        #[inline(always)]
        const fn pair(record: &Record, at: usize) -> [u16; 2] {
            [fields::constant_half_word(record, at), fields::constant_half_word(record, at + 2)]
        }
        Self { kernel: pair(record, at), stride: pair(record, at + 4), padding: pair(record, at + 8) }
    }

    /// Writes what [`decode`](Self::decode) reads.
    pub(super) fn encode(&self, record: &mut Record, at: usize) {
        let fields = [self.kernel, self.stride, self.padding];
        for (index, field) in fields.as_flattened().iter().enumerate() {
            fields::put(record, at + 2 * index, field.to_le_bytes());
        }
    }

    /// Kernel rows times kernel columns.
    pub const fn taps(&self) -> usize {
        (self.kernel[0] as usize).wrapping_mul(self.kernel[1] as usize)
    }

    /// Where the window of output position `position` meets the input along `axis` (0 vertical, 1 horizontal) of
    /// `size` elements: the first element met, and the taps that meet one.
    #[inline]
    pub(crate) fn clip(&self, axis: usize, position: usize, size: usize) -> (usize, Range<usize>) {
        let [kernel, stride, padding] = [self.kernel, self.stride, self.padding].map(|pair| match axis {
            0 => pair[0] as usize,
            _ => pair[1] as usize,
        });
        let origin = position.wrapping_mul(stride);
        let first = padding.saturating_sub(origin);
        let last = kernel.min(size.wrapping_add(padding).saturating_sub(origin));
        (origin.saturating_sub(padding), first..last.max(first))
    }

    /// Whether every output position of `output` meets at least one element of `input`.
    pub(super) fn joins(&self, input: Shape, output: Shape) -> bool {
        let sizes = [(input.height, output.height), (input.width, output.width)];
        (0..2).zip(sizes).all(|(axis, (size, positions))| {
            let [kernel, stride, padding] = [self.kernel, self.stride, self.padding]
                .map(|pair| pair.get(axis).copied().unwrap_or(0) as u64);
            let last = (positions as u64).saturating_sub(1).saturating_mul(stride);
            kernel > 0 && stride > 0 && padding < kernel && last < (size as u64).saturating_add(padding)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// `clip` against the definition: tap `t` of position `p` reads element `p * stride + t - padding`.
    #[test]
    fn clip_keeps_exactly_the_taps_inside_the_input() {
        for (kernel, stride, padding, size) in
            [(3, 1, 1, 5), (3, 2, 0, 6), (3, 2, 1, 7), (5, 3, 4, 2), (8, 1, 7, 3)]
        {
            let window = Window { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2] };
            for position in 0..6usize {
                let element = |tap: usize| (position * stride as usize + tap).checked_sub(padding as usize);
                let inside: Vec<usize> =
                    (0..kernel.into()).filter(|&tap| element(tap).is_some_and(|e| e < size)).collect();
                for axis in [0, 1] {
                    let (first, taps) = window.clip(axis, position, size);
                    assert_eq!(taps.clone().collect::<Vec<_>>(), inside);
                    if !inside.is_empty() {
                        assert_eq!(Some(first), element(taps.start));
                    }
                }
            }
        }
    }
}
