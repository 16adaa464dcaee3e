//! Depthwise convolution with a 3x3 kernel, 16 channels at a time.

use super::filter::{Column, Filter};
use crate::kernels::Rows;
use crate::kernels::shapes::{KERNEL, window_rows};
use crate::operator::Convolution;
use core::arch::x86_64::*;

/// Channels at a time. A last block of fewer begins earlier and computes some channels again.
pub(super) const STEP: usize = 16;

/// Row `y` of an operator that [`is_depthwise`](crate::kernels::shapes::is_depthwise), of at least 16 channels.
#[target_feature(enable = "avx2")]
pub(super) fn depthwise(op: &Convolution<'_>, input: Rows<'_>, y: usize, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    let padding = [op.input.zero_point; STEP];
    let rows = window_rows(op, input, y);
    for first in (0..channels).step_by(STEP) {
        let channel = first.min(channels - STEP);
        // Of a row that is missing, the same padding at every column.
        let mut from = [(padding.as_ptr(), 0); KERNEL];
        for tap in 0..KERNEL {
            if let Some(row) = rows[tap] {
                from[tap] = (row[channel.min(row.len())..].as_ptr(), channels);
            }
        }
        let columns = Columns { rows: from, width: op.input.shape.width.into(), padding: padding.as_ptr() };
        // SAFETY: 16 channels from this one on exist in the rows, the operator's parameters and the output.
        unsafe { block(op, &columns, channel, output) };
    }
}

/// The input's columns, 16 channels.
struct Columns {
    /// Where each row of the window begins, and how far its columns lie apart.
    rows: [(*const i8, usize); KERNEL],
    width: usize,
    /// 16 zero points.
    padding: *const i8,
}

impl Columns {
    /// Column `x`; zero points beyond the input.
    ///
    /// # Safety
    /// The rows are as described.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn get(&self, x: usize) -> Column {
        let inside = x < self.width;
        let [first, second, third] = self.rows;
        let at = |(row, apart): (*const i8, usize)| {
            // SAFETY: the column exists, or the padding is taken, which always has 16.
            unsafe {
                let from = if inside { row.add(x * apart) } else { self.padding };
                _mm_loadu_si128(from.cast())
            }
        };
        Column::new(at(first), at(second), at(third))
    }
}

/// One row of 16 channels.
///
/// # Safety
/// The operator is one for this kernel; `columns` are those from `channel` on, of which there are 16.
#[target_feature(enable = "avx2")]
unsafe fn block(op: &Convolution<'_>, columns: &Columns, channel: usize, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    let stride = usize::from(op.window.stride[1]);
    // SAFETY: see above.
    unsafe {
        let filter = Filter::new::<STEP>(op, channel);
        // Columns to the left of the input wrap around to numbers beyond its right end.
        let mut x = 0usize.wrapping_sub(op.window.padding[1].into());
        let (mut left, mut middle) = (columns.get(x), columns.get(x.wrapping_add(1)));
        for index in 0..usize::from(op.output.shape.width) {
            let right = columns.get(x.wrapping_add(2));
            let to = output.as_mut_ptr().add(index * channels + channel);
            _mm_storeu_si128(to.cast(), filter.apply([left, middle, right]));
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
