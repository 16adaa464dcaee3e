//! Convolution and depthwise convolution: one record, two meanings of the weights.

use super::Window;
use super::fields::{activation, tensor};
use super::rescale::{self, PerChannel};
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::image::layout::record::convolution as record;
use crate::tensor::Tensor;

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
        let window = Window::decode(record, record::WINDOW)?;
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
