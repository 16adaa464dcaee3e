//! Depthwise convolution with a 3x3 kernel, 16 channels at a time.

use super::filter::{Column, Filter};
use crate::kernels::rows::Rows;
use crate::kernels::shapes::{KERNEL, window_rows};
use crate::operator::Convolution;
use core::arch::x86_64::*;
use core::ops::Range;

/// Channels at a time. A last block of fewer begins earlier and computes some channels again.
pub(super) const STEP: usize = 16;

/// Some rows of an operator that [`is_depthwise`](crate::kernels::shapes::is_depthwise), of at least 16 channels.
#[target_feature(enable = "avx2")]
pub(super) fn depthwise(op: &Convolution<'_>, input: Rows<'_>, rows: Range<usize>, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    let padding = [op.input.zero_point; STEP];
    for first in (0..channels).step_by(STEP) {
        let channel = first.min(channels - STEP);
        // SAFETY: 16 channels from this one on exist in the operator's parameters.
        let filter = unsafe { Filter::new::<STEP>(op, channel) };
        for (y, output) in rows.clone().zip(output.chunks_exact_mut(op.output.row_len())) {
            // Of a row that is missing, the same padding at every column.
            let mut from = [(padding.as_ptr(), 0); KERNEL];
            for (from, row) in from.iter_mut().zip(window_rows(op, input, y)) {
                if let Some(row) = row {
                    *from = (row[channel.min(row.len())..].as_ptr(), channels);
                }
            }
            let columns =
                Columns { rows: from, width: op.input.shape.width.into(), padding: padding.as_ptr() };
            // SAFETY: 16 channels from this one on exist in the rows and in the output.
            unsafe { row(op, &filter, &columns, output[channel..].as_mut_ptr()) };
        }
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
/// The operator is one for this kernel; `columns` are those of the row, and `to` has the place of the channels in its first
/// column.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn row(op: &Convolution<'_>, filter: &Filter, columns: &Columns, mut to: *mut i8) {
    let (channels, stride) = (usize::from(op.output.shape.channels), usize::from(op.window.stride[1]));
    // Columns to the left of the input wrap around to numbers beyond its right end.
    let mut x = 0usize.wrapping_sub(op.window.padding[1].into());
    // SAFETY: see above.
    unsafe {
        // A column that two or three outputs need is added to their sums at once, and not kept.
        let begin = |x: usize| filter.add::<0>(filter.bias(), &columns.get(x));
        let mut sums = begin(x);
        let mut next = filter.bias();
        if stride == 1 {
            let column = columns.get(x.wrapping_add(1));
            (sums, next) = (filter.add::<1>(sums, &column), filter.add::<0>(next, &column));
        }
        for _ in 0..op.output.shape.width {
            let right = columns.get(x.wrapping_add(2));
            if stride == 1 {
                let done = filter.add::<2>(sums, &right);
                (sums, next) = (filter.add::<1>(next, &right), filter.add::<0>(filter.bias(), &right));
                _mm_storeu_si128(to.cast(), filter.finish(done));
            } else {
                let both = filter.add::<1>(sums, &columns.get(x.wrapping_add(1)));
                _mm_storeu_si128(to.cast(), filter.finish(filter.add::<2>(both, &right)));
                sums = if stride == 2 {
                    filter.add::<0>(filter.bias(), &right)
                } else {
                    begin(x.wrapping_add(stride))
                };
            }
            to = to.wrapping_add(channels);
            x = x.wrapping_add(stride);
        }
    }
}
