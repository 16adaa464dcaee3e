//! Depthwise convolution with a 3x3 kernel of 8 to 15 channels: two outputs at a time, 8 channels of each.

use super::filter::{Column, Filter};
use crate::kernels::rows::Rows;
use crate::kernels::shapes::{KERNEL, window_rows};
use crate::operator::Convolution;
use core::arch::x86_64::*;
use core::ops::Range;

/// Channels at a time. A second block begins where it ends with the last channel, and computes some again.
pub(super) const STEP: usize = 8;

/// Some rows of an operator that [`is_depthwise`](crate::kernels::shapes::is_depthwise), of 8 to 16 channels.
#[target_feature(enable = "avx2")]
pub(super) fn depthwise(op: &Convolution<'_>, input: Rows<'_>, rows: Range<usize>, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    let [width, stride] = [op.input.shape.width, op.window.stride[1]].map(usize::from);
    let padding = [op.input.zero_point; STEP];
    for first in (0..channels).step_by(STEP) {
        let channel = first.min(channels - STEP);
        // SAFETY: 8 channels from this one on exist in the operator's parameters.
        let filter = unsafe { Filter::new::<STEP>(op, channel) };
        for (y, output) in rows.clone().zip(output.chunks_exact_mut(op.output.row_len())) {
            let mut from = [None; KERNEL];
            for (from, row) in from.iter_mut().zip(window_rows(op, input, y)) {
                if let Some(row) = row {
                    *from = Some(row[channel.min(row.len())..].as_ptr());
                }
            }
            let adjacent = if (channels, stride) == (STEP, 1) { width.saturating_sub(1) } else { 0 };
            let columns =
                Columns { rows: from, channels, width, stride, adjacent, padding: padding.as_ptr() };
            // SAFETY: 8 channels from this one on exist in the rows and in the output.
            unsafe { row(op, &filter, &columns, output[channel..].as_mut_ptr()) };
        }
    }
}

/// The input's columns, 8 channels.
struct Columns {
    /// Where each row of the window begins; those that are missing are padding.
    rows: [Option<*const i8>; KERNEL],
    channels: usize,
    width: usize,
    stride: usize,
    /// How many columns lie beside the one that the next output has in its place.
    adjacent: usize,
    /// 8 zero points.
    padding: *const i8,
}

impl Columns {
    /// Column `x`, and the one that the next output has in its place.
    ///
    /// # Safety
    /// The rows are as described.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn get(&self, x: usize) -> Column {
        let mut values = [_mm_setzero_si128(); KERNEL];
        for tap in 0..KERNEL {
            // SAFETY: as there; both columns exist where they are adjacent.
            unsafe {
                values[tap] = match self.rows[tap] {
                    Some(row) if x < self.adjacent => _mm_loadu_si128(row.add(x * STEP).cast()),
                    row => _mm_unpacklo_epi64(self.one(row, x), self.one(row, x.wrapping_add(self.stride))),
                };
            }
        }
        Column::new(values[0], values[1], values[2])
    }

    /// 8 channels of a row at column `x`; zero points beyond the input.
    ///
    /// # Safety
    /// The row is as described.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn one(&self, row: Option<*const i8>, x: usize) -> __m128i {
        // SAFETY: the column exists, or the padding is taken.
        unsafe {
            let from = match row {
                Some(row) if x < self.width => row.add(x * self.channels),
                _ => self.padding,
            };
            _mm_loadl_epi64(from.cast())
        }
    }
}

/// One row of 8 channels.
///
/// # Safety
/// The operator is one for this kernel; `columns` are those of the row, and `to` has the place of the channels in its first
/// column.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn row(op: &Convolution<'_>, filter: &Filter, columns: &Columns, to: *mut i8) {
    let Columns { channels, stride, .. } = *columns;
    let outputs = usize::from(op.output.shape.width);
    // SAFETY: see above.
    unsafe {
        // Columns to the left of the input wrap around to numbers beyond its right end.
        let mut x = 0usize.wrapping_sub(op.window.padding[1].into());
        let mut left = columns.get(x);
        for index in (0..outputs).step_by(2) {
            let right = columns.get(x.wrapping_add(2));
            let sums = filter.add::<0>(filter.bias(), &left);
            let sums = filter.add::<1>(sums, &columns.get(x.wrapping_add(1)));
            let values = filter.finish(filter.add::<2>(sums, &right));
            let to = to.add(index * channels);
            _mm_storel_epi64(to.cast(), values);
            if index + 1 < outputs {
                _mm_storel_epi64(to.add(channels).cast(), _mm_srli_si128::<8>(values));
            }
            x = x.wrapping_add(2 * stride);
            left = if stride == 1 { right } else { columns.get(x) };
        }
    }
}
