//! Fully connected: every output from every input.

use super::Matrix;
use super::Record;
use super::fields::Common;
use super::rescale::{self, PerChannel};
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::image::layout::record::fully_connected as record;
use crate::kernels::scratch;
use crate::packing;
use crate::tensor::Tensor;

/// A fully connected layer.
#[derive(Clone, Copy, Debug)]
pub struct FullyConnected<'a> {
    /// Input of any shape, read as one vector.
    pub input: Tensor,
    /// Output, 1x1 with one channel per output.
    pub output: Tensor,
    /// int8 weights, zero point 0, a [packed](crate::packing) matrix.
    pub weights: &'a [i8],
    /// Bias and multiplier of each output.
    pub channels: PerChannel<'a>,
    /// Clamp of the output.
    pub activation: Activation,
}

impl<'a> FullyConnected<'a> {
    #[inline]
    pub(super) fn decode(record: &Record, section: &'a [u8]) -> Result<Self, Problem> {
        let Common { input, output, activation } = Common::decode(record, record::OUTPUT)?;
        let len = packing::matrix_len(output.shape.channels.into(), input.shape.len());
        let (weights, channels) = rescale::parameters(record, record::WEIGHTS, section, len, &output)?;
        Ok(Self { input, output, weights, channels, activation })
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.output.shape.pixels() != 1 {
            return Err(Problem::Shapes);
        }
        self.channels.check(self.input.shape.len())?;
        #[cfg(not(target_os = "none"))]
        {
            let (matrix, patch) = (self.matrix(), self.input.shape.len());
            rescale::check_sums(&self.channels, |output| matrix.row(output, patch))?;
        }
        Ok(())
    }

    /// The matrix.
    pub const fn matrix(&self) -> Matrix<'a> {
        Matrix {
            weights: self.weights,
            depth: packing::padded(self.input.shape.len()),
            channels: self.channels,
            zero_point: self.output.zero_point,
            activation: self.activation,
        }
    }

    /// Bytes in which a kernel may work.
    pub const fn scratch_len(&self) -> usize {
        scratch::fully_connected(self.input.shape.len())
    }
}
