//! Convolution and depthwise convolution: one record, two meanings of the weights.

use super::Record;
use super::fields::Common;
use super::rescale::{self, PerChannel};
use super::{Matrix, Window};
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::image::layout::record::convolution as record;
use crate::kernels::scratch;
use crate::packing;
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
    /// int8 weights, zero point 0, [packed](crate::packing): a matrix, or of a depthwise convolution, whose output channel
    /// `c` reads input channel `c / (out / in)`, in the order for depthwise.
    pub weights: &'a [i8],
    /// Bias and multiplier of each output channel.
    pub channels: PerChannel<'a>,
    /// Clamp of the output.
    pub activation: Activation,
}

impl<'a> Convolution<'a> {
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn decode(record: &Record, section: &'a [u8], depthwise: bool) -> Result<Self, Problem> {
        let Common { input, output, activation } = Common::decode(record, record::OUTPUT)?;
        let window = Window::decode(record, record::WINDOW)?;
        let outputs = output.shape.channels.into();
        let len = if depthwise {
            packing::depthwise_len(window.kernel.map(usize::from), outputs)
        } else {
            let patch = window.taps().checked_mul(input.shape.channels.into());
            patch.and_then(|patch| packing::matrix_len(outputs, patch))
        };
        let (weights, channels) = rescale::parameters(record, record::WEIGHTS, section, len, &output)?;
        Ok(Self { input, output, window, weights, channels, activation })
    }

    pub(super) fn check(&self, depthwise: bool) -> Result<(), Problem> {
        let [inputs, outputs] = [self.input, self.output].map(|tensor| tensor.shape.channels as usize);
        if !self.window.joins(self.input.shape, self.output.shape) {
            return Err(Problem::Window);
        }
        if depthwise && outputs.checked_rem(inputs) != Some(0) {
            return Err(Problem::Shapes);
        }
        self.channels.check(if depthwise { self.window.taps() } else { self.patch_len() })?;
        #[cfg(not(target_os = "none"))]
        if depthwise {
            rescale::check_sums(&self.channels, |channel| self.depthwise_row(channel))?;
        } else {
            let matrix = self.matrix();
            rescale::check_sums(&self.channels, |output| matrix.row(output, self.patch_len()))?;
        }
        Ok(())
    }

    /// A channel's weights, and what fills them up.
    #[cfg(not(target_os = "none"))]
    fn depthwise_row(&self, channel: usize) -> impl Iterator<Item = (bool, i8)> {
        let [rows, columns] = self.window.kernel.map(usize::from);
        let channels = usize::from(self.output.shape.channels);
        let taps =
            (0..packing::padded(rows)).flat_map(move |row| (0..columns).map(move |column| [row, column]));
        taps.map(move |tap| {
            let index = packing::depthwise_index([rows, columns], channels, tap, channel);
            (tap[0] < rows, self.weights.get(index).copied().unwrap_or(0))
        })
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

    /// Bytes in which a kernel may work.
    pub const fn scratch_len(&self, depthwise: bool) -> usize {
        if depthwise {
            scratch::depthwise(self.input.shape.width as usize, self.window.kernel[1] as usize)
        } else {
            scratch::convolution(self.patch_len())
        }
    }
}
