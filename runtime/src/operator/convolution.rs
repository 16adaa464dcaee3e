//! Convolution and depthwise convolution: one record, two meanings of the weights.

use super::rescale::{self, PerChannel};
use super::{activation, tensor};
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::image::bytes;
use crate::image::layout::record::convolution as record;
use crate::tensor::{Shape, Tensor};
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
    /// Kernel rows times kernel columns.
    pub const fn taps(&self) -> usize {
        (self.kernel[0] as usize).wrapping_mul(self.kernel[1] as usize)
    }

    /// Where the window of output position `position` meets the input along `axis` (0 vertical, 1 horizontal) of
    /// `size` elements: the first element met, and the taps that meet one.
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
    fn joins(&self, input: Shape, output: Shape) -> bool {
        let sizes = [(input.height, output.height), (input.width, output.width)];
        (0..2).zip(sizes).all(|(axis, (size, positions))| {
            let [kernel, stride, padding] = [self.kernel, self.stride, self.padding]
                .map(|pair| pair.get(axis).copied().unwrap_or(0) as u64);
            let last = (positions as u64).saturating_sub(1).saturating_mul(stride);
            kernel > 0 && stride > 0 && padding < kernel && last < (size as u64).saturating_add(padding)
        })
    }
}

/// A convolution, or a depthwise convolution.
#[derive(Clone, Copy, Debug)]
pub struct Convolution<'a> {
    /// Input map.
    pub input: Tensor,
    /// Output map.
    pub output: Tensor,
    /// Kernel, stride, padding.
    pub window: Window,
    /// int8 weights, zero point 0: convolution `[out][kernel row][kernel column][in]`, depthwise
    /// `[kernel row][kernel column][out]`, where output channel `c` reads input channel `c / (out / in)`.
    pub weights: &'a [i8],
    /// Bias and multiplier of each output channel.
    pub channels: PerChannel<'a>,
    /// Clamp of the output.
    pub activation: Activation,
}

impl<'a> Convolution<'a> {
    pub(super) fn decode(record: &[u8], section: &'a [u8], depthwise: bool) -> Result<Self, Problem> {
        let input = tensor(record, super::record::INPUT)?;
        let output = tensor(record, record::OUTPUT)?;
        let pair = |at: usize| Some([bytes::u16(record, at)?, bytes::u16(record, at.checked_add(2)?)?]);
        let window = || {
            Some(Window {
                kernel: pair(record::WINDOW)?,
                stride: pair(record::WINDOW + 4)?,
                padding: pair(record::WINDOW + 8)?,
            })
        };
        let window = window().ok_or(Problem::RecordLength)?;
        let inputs_each = if depthwise { 1 } else { input.shape.channels as usize };
        let len =
            window.taps().checked_mul(inputs_each).and_then(|n| n.checked_mul(output.shape.channels.into()));
        let (weights, channels) = rescale::parameters(record, record::WEIGHTS, section, len, &output)?;
        Ok(Self { input, output, window, weights, channels, activation: activation(record)? })
    }

    pub(super) fn check(&self, depthwise: bool) -> Result<(), Problem> {
        let [inputs, outputs] = [self.input, self.output].map(|tensor| tensor.shape.channels as usize);
        if !self.window.joins(self.input.shape, self.output.shape) {
            return Err(Problem::Window);
        }
        if depthwise && outputs.checked_rem(inputs) != Some(0) {
            return Err(Problem::Shapes);
        }
        let inputs_each = if depthwise { 1 } else { inputs };
        self.channels.check(self.window.taps().saturating_mul(inputs_each))
    }

    /// Whether this is a 1x1 convolution with stride 1: a matrix product over the pixels.
    pub fn is_pointwise(&self) -> bool {
        let Window { kernel, stride, padding } = self.window;
        (kernel, stride, padding) == ([1, 1], [1, 1], [0, 0])
            && self.input.shape.pixels() == self.output.shape.pixels()
            && self.input.shape.width == self.output.shape.width
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
