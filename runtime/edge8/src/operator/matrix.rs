//! What convolutions and fully connected layers have in common.

use super::rescale::{self, PerChannel};
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::packing;

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

    /// Proves that kernels may rely on the weights for patches of this length: see [`rescale::check_weights`].
    pub(super) fn check_weights(&self, patch: usize) -> Result<(), Problem> {
        // A device looks at the filling only, which the last group of a row may have.
        let first = if cfg!(device) { patch / packing::GROUP } else { 0 };
        rescale::check_weights(&self.channels, |output| {
            let (start, step) = packing::matrix_start(self.outputs(), self.depth, output);
            let groups = first..self.depth / packing::GROUP;
            groups.flat_map(move |group| {
                let at = start.wrapping_add(group.wrapping_mul(step));
                (0..packing::GROUP).map(move |index| {
                    let value = self.weights.get(at.wrapping_add(index)).copied().unwrap_or(0);
                    (group * packing::GROUP + index < patch, value)
                })
            })
        })
    }
}
