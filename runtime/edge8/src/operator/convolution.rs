//! Convolution, and what a depthwise convolution has in common with it: one record, two meanings of the weights.
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 24 | tensor | output |
//! | 40 | `[u16; 6]` | kernel height and width, stride down and across, padding above and to the left |
//! | 52 | `u32` | offset of the weights, [packed](crate::packing) |
//! | 56 | `u32` | offset of the [constants](super::PerChannel) |

use super::fields::{self, Common, Record};
use super::kind::Kind;
use super::matrix::Matrix;
use super::reads::Reads;
use super::rescale::{self, PerChannel};
use super::window::Window;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::packing;
use crate::scratch;
use crate::tensor::Tensor;

pub(super) const WINDOW: usize = 40;
const PARAMETERS: usize = 52;

/// A convolution.
#[derive(Clone, Copy, Debug)]
pub struct Convolution<'a> {
    /// Input map.
    pub input: Tensor,
    /// Output map.
    pub output: Tensor,
    /// Kernel, stride, padding.
    pub window: Window,
    /// int8 weights, zero point 0, [packed](crate::packing): a matrix, or of a depthwise convolution, whose output channel
    /// `c` reads input channel `c / (out / in)`, in the order for depthwise.
    pub weights: &'a [i8],
    /// Bias and multiplier of each output channel.
    pub channels: PerChannel<'a>,
    /// Clamp of the output.
    pub activation: Activation,
}

impl<'a> Convolution<'a> {
    /// All multipliers are small.
    pub(crate) const fn is_usual(record: &Record) -> bool {
        fields::has_small_multipliers(record)
    }

    /// Reads a record of either kind.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(all(device, not(target_pointer_width = "64")), inline(never))]
    pub(super) fn decode_as(record: &Record, section: &'a [u8], depthwise: bool) -> Result<Self, Problem> {
        let Common { input, output, activation } = Common::decode(record, Self::OUTPUT)?;
        let window = Window::decode(record, WINDOW)?;
        let outputs = output.shape.channels.into();
        let len = if depthwise {
            packing::depthwise_len(window.kernel.map(usize::from), outputs)
        } else {
            let patch = window.taps().checked_mul(input.shape.channels.into());
            patch.and_then(|patch| packing::matrix_len(outputs, patch))
        };
        let (weights, channels) = rescale::parameters(record, PARAMETERS, section, len, &output)?;
        Ok(Self { input, output, window, weights, channels, activation })
    }

    /// Proves what is to be proven of either kind.
    #[cfg_attr(device, inline(never))]
    pub(super) fn check_as(&self, depthwise: bool) -> Result<(), Problem> {
        let [inputs, outputs] = [self.input, self.output].map(|tensor| tensor.shape.channels);
        if !self.window.joins(self.input.shape, self.output.shape) {
            return Err(Problem::Window);
        }
        if depthwise && outputs.checked_rem(inputs) != Some(0) {
            return Err(Problem::Shapes);
        }
        self.channels.check(if depthwise { self.window.taps() } else { self.patch_len() })
    }

    /// Values of the input that one output of a convolution depends on, `[kernel row][kernel column][in]`.
    pub const fn patch_len(&self) -> usize {
        self.window.taps().wrapping_mul(self.input.shape.channels as usize)
    }

    /// Whether this is a 1x1 convolution with stride 1 whose pixels are as long as the rows of its matrix: a product of
    /// the matrix and the pixels where they lie.
    pub fn is_pointwise(&self) -> bool {
        let Window { kernel, stride, padding } = self.window;
        (kernel, stride, padding) == ([1, 1], [1, 1], [0, 0])
            && self.input.shape.height == self.output.shape.height
            && self.input.shape.width == self.output.shape.width
            && usize::from(self.input.shape.channels).is_multiple_of(packing::GROUP)
    }

    /// The matrix of a convolution.
    pub const fn matrix(&self) -> Matrix<'a> {
        Matrix {
            weights: self.weights,
            depth: packing::padded(self.patch_len()),
            channels: self.channels,
            zero_point: self.output.zero_point,
            activation: self.activation,
        }
    }
}

impl<'a> Kind<'a> for Convolution<'a> {
    const NAME: &'static str = "CONV_2D";
    const OUTPUT: usize = 24;
    const BY_ROWS: bool = true;

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn decode(record: &Record, section: &'a [u8]) -> Result<Self, Problem> {
        Self::decode_as(record, section, false)
    }

    fn encode(&self, record: &mut Record, at: [u32; 2]) {
        fields::put_common(record, &self.input, (Self::OUTPUT, &self.output), self.activation);
        self.window.encode(record, WINDOW);
        rescale::put_parameters(record, PARAMETERS, at, &self.channels);
    }

    fn check(&self) -> Result<(), Problem> {
        self.check_as(false)?;
        self.matrix().check_weights(self.patch_len())
    }

    #[inline]
    fn input(&self, index: usize) -> Option<&Tensor> {
        (index == 0).then_some(&self.input)
    }

    #[inline]
    fn side_by_side(&self, row: usize, rows: usize) -> usize {
        if self.is_pointwise() { self.input.place(row, rows).1 } else { rows }
    }

    #[inline]
    fn output(&self) -> &Tensor {
        &self.output
    }

    #[inline]
    fn reads(&self) -> Reads {
        Reads::Window(self.window)
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn filter(&self) -> Option<(&'a [i8], PerChannel<'a>)> {
        Some((self.weights, self.channels))
    }

    fn scratch_len(&self) -> usize {
        scratch::convolution(self.patch_len())
    }

    fn scratch_at_best(&self) -> usize {
        scratch::convolution_at_best(self.patch_len())
    }

    fn macs(&self) -> u64 {
        (self.output.shape.len() as u64).wrapping_mul(self.patch_len() as u64)
    }
}
