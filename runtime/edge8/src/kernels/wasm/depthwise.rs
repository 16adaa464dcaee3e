//! Depthwise convolution with a 3x3 kernel.

use super::rescale::{Channels, Finish};
use crate::kernels::rows::Rows;
use crate::kernels::shapes::{KERNEL, window_rows};
use crate::operator::Convolution;
use crate::packing::GROUP;
use core::arch::wasm32::*;

/// Channels at a time. A last block of fewer begins earlier and computes some channels again.
pub(super) const STEP: usize = 8;

/// Row `y` of an operator that [`is_depthwise`](crate::kernels::shapes::is_depthwise), of at least 8 channels.
pub(super) fn depthwise(op: &Convolution<'_>, input: Rows<'_>, y: usize, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    let padding = [op.input.zero_point; STEP];
    let rows = window_rows(op, input, y);
    for first in (0..channels).step_by(STEP) {
        let channel = first.min(channels - STEP);
        let columns = Columns {
            rows: rows.map(|row| match row {
                Some(row) => (row[channel.min(row.len())..].as_ptr(), channels),
                // The same padding at every column.
                None => (padding.as_ptr(), 0),
            }),
            width: op.input.shape.width.into(),
            padding: padding.as_ptr(),
        };
        // SAFETY: 8 channels from this one on exist in the rows, the operator's parameters and the output.
        unsafe { block(op, &columns, channel, output) };
    }
}

/// The input's columns, 8 channels.
struct Columns {
    /// Where each row of the window begins, and how far its columns lie apart.
    rows: [(*const i8, usize); KERNEL],
    width: usize,
    /// 8 zero points.
    padding: *const i8,
}

/// A column of the input, or of the kernel: the first and the second row's values in pairs, of four channels each, and the
/// third row's.
#[derive(Clone, Copy)]
struct Column {
    pairs: [v128; 2],
    third: v128,
}

impl Column {
    #[inline(always)]
    fn new(first: v128, second: v128, third: v128) -> Self {
        Self { pairs: zip(first, second), third }
    }
}

/// 16-bit lanes in turns: the first four of both, and the last four.
#[inline(always)]
fn zip(a: v128, b: v128) -> [v128; 2] {
    [i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(a, b), i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(a, b)]
}

impl Columns {
    /// Column `x`; zero points beyond the input.
    ///
    /// # Safety
    /// The rows are as described.
    #[inline(always)]
    unsafe fn get(&self, x: usize) -> Column {
        let inside = x < self.width;
        let [first, second, third] = self.rows;
        let at = |(row, apart): (*const i8, usize)| {
            // SAFETY: the column exists, or the padding is taken, which always has 8.
            unsafe { i16x8_load_extend_i8x8(if inside { row.add(x * apart) } else { self.padding }) }
        };
        Column::new(at(first), at(second), at(third))
    }
}

/// The kernel of 8 channels, and what follows it.
struct Filter {
    columns: [Column; KERNEL],
    channels: Channels<2>,
    finish: Finish,
}

impl Filter {
    /// # Safety
    /// The operator is one for this kernel, and has 8 channels from `channel` on.
    unsafe fn new(op: &Convolution<'_>, channel: usize) -> Self {
        let mut columns = [Column::new(i16x8_splat(0), i16x8_splat(0), i16x8_splat(0)); KERNEL];
        // SAFETY: see above.
        unsafe {
            for tap in 0..KERNEL {
                let group = tap * usize::from(op.output.shape.channels) + channel;
                let groups = op.weights.as_ptr().add(group * GROUP);
                columns[tap] = weights(v128_load(groups.cast()), v128_load(groups.add(16).cast()));
            }
            let channels = Channels::new(&op.channels, channel, STEP);
            Self { columns, channels, finish: Finish::new(op.output.zero_point, op.activation) }
        }
    }

    /// 8 outputs, twice over, from the columns of their window.
    #[inline(always)]
    fn apply(&self, columns: [Column; KERNEL]) -> v128 {
        let mut sums = self.channels.bias;
        for tap in 0..KERNEL {
            for half in 0..2 {
                let products = i32x4_dot_i16x8(columns[tap].pairs[half], self.columns[tap].pairs[half]);
                sums[half] = i32x4_add(sums[half], products);
            }
        }
        // Two products of bytes fit into 16 bits, for no weight is -128.
        let third = |tap: usize| i16x8_mul(columns[tap].third, self.columns[tap].third);
        let products = zip(i16x8_add(third(0), third(1)), third(2));
        for half in 0..2 {
            sums[half] = i32x4_add(sums[half], i32x4_dot_i16x8(products[half], i16x8_splat(1)));
            sums[half] = self.channels.rescale[half].apply(sums[half]);
        }
        let values = self.finish.eight(sums[0], sums[1]);
        self.finish.sixteen(values, values)
    }
}

/// The weights of a column from the groups of 4 of 8 channels.
fn weights(low: v128, high: v128) -> Column {
    // Each row's byte at the top of a 32-bit lane, shifted down with its sign.
    let row = |left: u32| {
        let lanes = |groups: v128| i32x4_shr(i32x4_shl(groups, left), 24);
        i16x8_narrow_i32x4(lanes(low), lanes(high))
    };
    Column::new(row(24), row(16), row(8))
}

/// One row of 8 channels.
///
/// # Safety
/// The operator is one for this kernel; `columns` are those from `channel` on, of which there are 8.
unsafe fn block(op: &Convolution<'_>, columns: &Columns, channel: usize, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    let stride = usize::from(op.window.stride[1]);
    // SAFETY: see above.
    unsafe {
        let filter = Filter::new(op, channel);
        // Columns to the left of the input wrap around to numbers beyond its right end.
        let mut x = 0usize.wrapping_sub(op.window.padding[1].into());
        let (mut left, mut middle) = (columns.get(x), columns.get(x.wrapping_add(1)));
        for index in 0..usize::from(op.output.shape.width) {
            let right = columns.get(x.wrapping_add(2));
            let to = output.as_mut_ptr().add(index * channels + channel);
            v128_store64_lane::<0>(filter.apply([left, middle, right]), to.cast());
            x = x.wrapping_add(stride);
            // A column that the next output needs too is not made again.
            (left, middle) = match stride {
                1 => (middle, right),
                2 => (right, columns.get(x.wrapping_add(1))),
                _ => (columns.get(x), columns.get(x.wrapping_add(1))),
            };
        }
    }
}
