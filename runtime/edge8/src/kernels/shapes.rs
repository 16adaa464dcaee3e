//! Which operators the kernels beside the scalar ones are for. What holds here is what their `unsafe` relies on.

#[cfg(not(arm_dsp))]
use super::patches::CHUNK;
use crate::kernels::rows::Rows;
#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
use crate::operator::Mean;
use crate::operator::{Convolution, Matrix, PerChannel};
use crate::packing::{GROUP, padded};
use crate::slices::not_unrolled;
use core::ops::Range;

/// Rows and columns of the depthwise kernels.
pub const KERNEL: usize = 3;

/// Longer patches, for which no memory is large enough, are not what loops can count.
const MOST_DEPTH: usize = 1 << 28;

/// Whether there are constants for each of `count` outputs, all multipliers small.
pub fn has_constants(channels: &PerChannel<'_>, count: usize) -> bool {
    let PerChannel { bias, sum, mantissa, shift, small } = channels;
    *small && bias.len() == count && sum.len() == count && mantissa.len() == count && shift.len() == count
}

/// Whether a matrix [is one](is_matrix) for the kernels, and its patches fit a chunk.
#[cfg(not(arm_dsp))]
pub fn is_product(op: &Matrix<'_>) -> bool {
    op.depth <= CHUNK && is_matrix(op)
}

/// Whether a matrix has the weights and constants that its sizes say, and small multipliers.
pub fn is_matrix(op: &Matrix<'_>) -> bool {
    op.depth.is_multiple_of(GROUP)
        && (GROUP..MOST_DEPTH).contains(&op.depth)
        && padded(op.outputs()).checked_mul(op.depth).is_some_and(|len| op.weights.len() >= len)
        && has_constants(&op.channels, op.outputs())
}

/// Whether a depthwise convolution is 3x3, of each channel by itself, with small multipliers, and has the weights, constants
/// and rows of outputs as its shapes say.
pub fn is_depthwise(op: &Convolution<'_>, rows: &Range<usize>, output: &[i8]) -> bool {
    let channels = usize::from(op.output.shape.channels);
    op.window.kernel == [KERNEL as u16; 2]
        && op.input.shape.channels == op.output.shape.channels
        && op.weights.len() >= KERNEL * GROUP * channels
        && rows.len().checked_mul(op.output.row_len()).is_some_and(|len| output.len() >= len)
        && has_constants(&op.channels, channels)
}

/// How far the sums of a mean are shifted to the left, so that what is left of its multiplier is small; [`None`] if they do
/// not fit into 32 bits then.
#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
pub fn mean_shift(op: &Mean) -> Option<u32> {
    let most = (op.input.shape.pixels() as u64).saturating_mul(255);
    let left = (i32::from(op.multiplier.shift) - i32::from(PerChannel::SMALL_SHIFT)).max(0) as u32;
    (most << left <= i32::MAX as u64).then_some(left)
}

/// The rows of the input, whole, that the kernel meets for row `y` of the output.
#[inline(always)]
pub fn window_rows<'a>(op: &Convolution<'_>, input: Rows<'a>, y: usize) -> [Option<&'a [i8]>; KERNEL] {
    let (top, taps) = op.window.clip(0, y, op.input.shape.height.into());
    let mut rows = [None; KERNEL];
    for (tap, to) in rows.iter_mut().enumerate() {
        not_unrolled();
        if taps.contains(&tap) {
            let row = input.row(top + tap - taps.start);
            *to = (row.len() == op.input.row_len()).then_some(row);
        }
    }
    rows
}
