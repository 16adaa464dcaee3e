//! Forms of operators that kernels with special instructions are for. A program for a device that runs no other needs no other
//! kernels: [`embed_model!`](crate::embed_model) looks for them at compile time, the reader when it parses.
//!
//! What is usual here, the `fits` of each kernel in `kernels/dsp` must take: such a program has nothing to fall back to. The test
//! `device_operators` runs every operator that is usual without the others.

use super::{Add, Convolution, Mean, Operator, Window};
use crate::fixed_point::Multiplier;
use crate::tensor::Shape;

/// Whether a matrix is one: its multipliers are.
pub(crate) const fn matrix(small_multipliers: bool) -> bool {
    small_multipliers
}

/// Whether a depthwise convolution is one: 3x3, each channel by itself, four of them at least, windows one or two columns apart
/// that reach no further than a column beyond what the scratch bytes are for.
pub(crate) const fn depthwise(small_multipliers: bool, window: Window, input: Shape, output: Shape) -> bool {
    let columns = (output.width as usize).saturating_sub(1) * window.stride[1] as usize + 3;
    small_multipliers
        && window.kernel[0] == 3
        && window.kernel[1] == 3
        && matches!(window.stride[1], 1 | 2)
        && input.channels == output.channels
        && output.channels >= 4
        && columns <= input.width as usize + 3
}

/// Whether a sum is one: nothing repeated, and shifts for which rounding constants fit into 32 bits.
pub(crate) const fn add(second: Shape, output: Shape, shifts: [i8; 3]) -> bool {
    let [first_shift, second_shift, shift] = shifts;
    second.height == output.height
        && second.width == output.width
        && second.channels == output.channels
        && first_shift >= -28
        && second_shift >= -28
        && shift >= -24
        && shift <= -2
}

/// Whether a mean is one: sums that fit into 16 bits, of four channels at least.
pub(crate) const fn mean(input: Shape) -> bool {
    input.pixels() <= 256 && input.channels >= 4
}

impl Operator<'_> {
    /// Whether the operator has a usual form.
    pub(super) fn is_usual(&self) -> bool {
        match self {
            Self::Convolution(op) => matrix(op.channels.small),
            Self::FullyConnected(op) => matrix(op.channels.small),
            Self::Depthwise(Convolution { input, output, window, channels, .. }) => {
                depthwise(channels.small, *window, input.shape, output.shape)
            }
            Self::Add(Add { first, second, output, multiplier, .. }) => {
                let shifts = [first.multiplier, second.multiplier, *multiplier].map(|m: Multiplier| m.shift);
                add(second.tensor.shape, output.shape, shifts)
            }
            Self::Mean(Mean { input, .. }) => mean(input.shape),
            _ => true,
        }
    }
}
