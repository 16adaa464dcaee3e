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
    #[cfg(not(device))]
    pub(super) fn check_weights(&self, patch: usize) -> Result<(), Problem> {
        rescale::check_weights(&self.channels, |output| {
            let (start, step) = packing::matrix_start(self.outputs(), self.depth, output);
            let groups = self.weights.get(start..).unwrap_or(&[]).chunks(step.max(1));
            let values =
                groups.take(self.depth / packing::GROUP).flat_map(|group| group.iter().take(packing::GROUP));
            values.enumerate().map(move |(index, &value)| (index < patch, value))
        })
    }

    /// The same on a device: the last group of each row, where the patch does not fill it.
    #[cfg(device)]
    #[inline(always)]
    pub(super) fn check_weights(&self, patch: usize) -> Result<(), Problem> {
        if patch.is_multiple_of(packing::GROUP) { Ok(()) } else { self.check_filling(patch) }
    }

    #[cfg(device)]
    #[inline(never)]
    fn check_filling(&self, patch: usize) -> Result<(), Problem> {
        let (groups, rest) = (patch / packing::GROUP, patch % packing::GROUP);
        let is_filled = |output| {
            let (start, step) = packing::matrix_start(self.outputs(), self.depth, output);
            rescale::is_filled(self.weights, start.wrapping_add(groups.wrapping_mul(step)), rest)
        };
        if (0..self.outputs()).all(is_filled) { Ok(()) } else { Err(Problem::Filling) }
    }
}
