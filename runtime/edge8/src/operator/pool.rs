//! Average and maximum pool: one record, two meanings.

use super::Record;
use super::Window;
use super::fields::Common;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::image::layout::record::pool as record;
use crate::tensor::Tensor;

/// A pool: each output is made from the values of its channel in one window, padding left out.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// Input map.
    pub input: Tensor,
    /// Output map, with the input's channels, zero point and scale.
    pub output: Tensor,
    /// Kernel, stride, padding.
    pub window: Window,
    /// Clamp of the output.
    pub activation: Activation,
}

impl Pool {
    #[inline]
    pub(super) fn decode(record: &Record) -> Result<Self, Problem> {
        let common = Common::decode(record, record::OUTPUT)?;
        Ok(Self {
            input: common.input,
            output: common.output,
            window: Window::decode(record, record::WINDOW)?,
            activation: common.activation,
        })
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.input.shape.channels != self.output.shape.channels {
            return Err(Problem::Shapes);
        }
        if !self.input.shares_quantisation(&self.output) {
            return Err(Problem::Quantisation);
        }
        if self.window.joins(self.input.shape, self.output.shape) { Ok(()) } else { Err(Problem::Window) }
    }

    /// Proves that the sum over a window, and what rounding adds, stays in 32 bits.
    pub(super) fn check_sum(&self) -> Result<(), Problem> {
        // 128 a tap, and half the number of taps.
        let most = (self.window.taps() as u64).saturating_mul(129);
        if most > i32::MAX as u64 { Err(Problem::Accumulator) } else { Ok(()) }
    }
}
