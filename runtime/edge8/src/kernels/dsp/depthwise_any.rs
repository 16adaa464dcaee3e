//! Depthwise convolution of any window and depth multiplier: for each pixel and input channel a product of its window.
//!
//! Four rows of a kernel's column lie in a word, as four inputs of a matrix do; the next column's are a group further.

use super::clamp;
use super::multiply::{self, Outputs};
use crate::kernels::rows::Rows;
use crate::kernels::shapes;
use crate::operator::Convolution;
use crate::packing::{self, GROUP};

/// Groups of a window: its columns, for every four rows.
fn groups(op: &Convolution<'_>) -> usize {
    let [rows, columns] = op.window.kernel.map(usize::from);
    rows.div_ceil(GROUP).saturating_mul(columns)
}

/// Whether there are the weights, constants and outputs that the shapes say, and room for a window.
pub(super) fn fits(op: &Convolution<'_>, output: &[i8], wide: &[u32]) -> bool {
    let channels = usize::from(op.output.shape.channels);
    let weights = packing::depthwise_len(op.window.kernel.map(usize::from), channels);
    weights.is_some_and(|len| op.weights.len() >= len)
        && output.len() >= op.output.row_len()
        && shapes::has_constants(&op.channels, channels)
        && channels.checked_rem(op.input.shape.channels.into()) == Some(0)
        && (1..1 << 26).contains(&groups(op))
        && wide.len() / 2 >= groups(op)
}

/// Row `y`; the operator [`fits`].
pub(super) fn depthwise(
    op: &Convolution<'_>,
    input: Rows<'_>,
    y: usize,
    output: &mut [i8],
    wide: &mut [u32],
) {
    let [inputs, outputs] = [op.input, op.output].map(|tensor| usize::from(tensor.shape.channels));
    let each = outputs.checked_div(inputs).unwrap_or(0);
    let mut args = Outputs {
        mantissas: op.channels.mantissa.as_ptr(),
        shifts: op.channels.shift.as_ptr(),
        offset: (2 * i32::from(op.output.zero_point) + 1) << 23,
        to: output.as_mut_ptr(),
        stride: 0,
        rewind: 0,
        patches: core::ptr::null(),
        loops: 0,
        enter: 0,
        biases: op.channels.bias.as_ptr(),
        end: 0,
        weights: op.weights.as_ptr(),
        first: 0,
        step: 0,
    };
    args.walk(groups(op), 1, outputs * GROUP);
    for x in 0..op.output.shape.width.into() {
        for channel in 0..inputs {
            gather(op, input, [y, x], channel, wide);
            args.patches = wide.as_ptr();
            (args.first, args.end) = (channel * each, (channel + 1) * each);
            // SAFETY: there are the outputs of this channel, one at least, their weights and constants, and the window.
            unsafe {
                args.weights = op.weights.as_ptr().add(args.first * GROUP);
                multiply::one(&args);
            }
        }
        args.to = args.to.wrapping_add(outputs);
    }
    clamp::clamp(op.activation, output);
}

/// The window of an output in a channel as pairs: of four rows the first and the third, the second and the fourth.
fn gather(op: &Convolution<'_>, input: Rows<'_>, [y, x]: [usize; 2], channel: usize, wide: &mut [u32]) {
    let [kernel, stride, padding] =
        [op.window.kernel, op.window.stride, op.window.padding].map(|pair| pair.map(usize::from));
    let [height, width, inputs] =
        [op.input.shape.height, op.input.shape.width, op.input.shape.channels].map(usize::from);
    let first = [y * stride[0], x * stride[1]];
    let mut pairs = wide.chunks_exact_mut(2);
    for group in (0..kernel[0]).step_by(GROUP) {
        let rows: [&[i8]; GROUP] = core::array::from_fn(|row| {
            let row = (first[0] + group + row).wrapping_sub(padding[0]);
            if row < height { input.row(row) } else { &[] }
        });
        for (column, pair) in (0..kernel[1]).zip(&mut pairs) {
            let column = (first[1] + column).wrapping_sub(padding[1]);
            let [a, b, c, d] = rows.map(|row| {
                let value = if column < width { row.get(column * inputs + channel) } else { None };
                i32::from(value.copied().unwrap_or(op.input.zero_point)) as u32
            });
            pair.copy_from_slice(&[a & 0xffff | c << 16, b & 0xffff | d << 16]);
        }
    }
}
