//! What convolutions and fully connected layers have in common.

use super::PerChannel;
use crate::fixed_point::Activation;

/// A [packed](crate::packing) matrix with what follows each of its rows: `bias + sum of w * x` rescaled, plus a zero
/// point, clamped.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// The weights.
    pub weights: &'a [i8],
    /// Values of a patch, a multiple of 4.
    pub depth: usize,
    /// Bias and multiplier of each output.
    pub channels: PerChannel<'a>,
    /// Of the output.
    pub zero_point: i8,
    /// Clamp of the output.
    pub activation: Activation,
}

impl Matrix<'_> {
    /// Number of outputs.
    pub const fn outputs(&self) -> usize {
        self.channels.shift.len()
    }
}
