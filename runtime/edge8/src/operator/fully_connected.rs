//! Fully connected: every output from every input.
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 24 | tensor | output, 1x1 with one channel per output |
//! | 40 | `u32` | offset of the weights, a [packed](crate::packing) matrix |
//! | 44 | `u32` | offset of the [constants](super::PerChannel) |

use super::fields::{self, Common, Record};
use super::kind::Kind;
use super::matrix::Matrix;
use super::rescale::{self, PerChannel};
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::packing;
use crate::scratch;
use crate::tensor::Tensor;

const PARAMETERS: usize = 40;

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
    /// All multipliers are small.
    pub(crate) const fn is_usual(record: &Record) -> bool {
        fields::has_small_multipliers(record)
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
}

impl<'a> Kind<'a> for FullyConnected<'a> {
    const NAME: &'static str = "FULLY_CONNECTED";
    const OUTPUT: usize = 24;
    const BY_ROWS: bool = false;

    #[inline]
    fn decode(record: &Record, section: &'a [u8]) -> Result<Self, Problem> {
        let Common { input, output, activation } = Common::decode(record, Self::OUTPUT)?;
        let len = packing::matrix_len(output.shape.channels.into(), input.shape.len());
        let (weights, channels) = rescale::parameters(record, PARAMETERS, section, len, &output)?;
        Ok(Self { input, output, weights, channels, activation })
    }

    fn encode(&self, record: &mut Record, at: [u32; 2]) {
        fields::put_common(record, &self.input, (Self::OUTPUT, &self.output), self.activation);
        rescale::put_parameters(record, PARAMETERS, at, &self.channels);
    }

    fn check(&self) -> Result<(), Problem> {
        if self.output.shape.pixels() != 1 {
            return Err(Problem::Shapes);
        }
        self.channels.check(self.input.shape.len())?;
        self.matrix().check_weights(self.input.shape.len())
    }

    #[inline]
    fn input(&self, index: usize) -> Option<&Tensor> {
        (index == 0).then_some(&self.input)
    }

    #[inline]
    fn side_by_side(&self, _: usize, rows: usize) -> usize {
        rows
    }

    #[inline]
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn filter(&self) -> Option<(&'a [i8], PerChannel<'a>)> {
        Some((self.weights, self.channels))
    }

    fn scratch_len(&self) -> usize {
        scratch::fully_connected(self.input.shape.len())
    }

    fn macs(&self) -> u64 {
        (self.output.shape.len() as u64).wrapping_mul(self.input.shape.len() as u64)
    }
}
