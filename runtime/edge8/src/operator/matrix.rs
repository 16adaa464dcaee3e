//! What convolutions and fully connected layers have in common.

use super::PerChannel;
use crate::fixed_point::Activation;
#[cfg(not(target_os = "none"))]
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

    /// An output's weights for a patch of this length, and what fills them up.
    #[cfg(not(target_os = "none"))]
    pub(super) fn row(&self, output: usize, patch: usize) -> impl Iterator<Item = (bool, i8)> {
        let (start, step) = packing::matrix_start(self.outputs(), self.depth, output);
        let groups = self.weights.get(start..).unwrap_or(&[]).chunks(step.max(1));
        let values =
            groups.take(self.depth / packing::GROUP).flat_map(|group| group.iter().take(packing::GROUP));
        values.enumerate().map(move |(index, &value)| (index < patch, value))
    }
}
