//! Depthwise convolution with a 3x3 kernel.

use super::rescale::{Finish, Rescale};
use crate::kernels::Rows;
use crate::kernels::shapes::{KERNEL, window_rows};
use crate::operator::{Convolution, PerChannel};
use crate::packing::GROUP;
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
        let columns = Columns {
            rows: rows.map(|row| match row {
                Some(row) => (row[channel.min(row.len())..].as_ptr(), channels),
                // The same padding at every column.
                None => (padding.as_ptr(), 0),
            }),
            width: op.input.shape.width.into(),
            padding: padding.as_ptr(),
        };
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

/// A column: the first and the second row's values in pairs, the third row's beside zeros; each for the first and third
/// four channels, and for the others.
#[derive(Clone, Copy)]
struct Column {
    pairs: [__m256i; 2],
    singles: [__m256i; 2],
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
                _mm256_cvtepi8_epi16(_mm_loadu_si128(from.cast()))
            }
        };
        let (first, second, third) = (at(first), at(second), at(third));
        let zero = _mm256_setzero_si256();
        Column {
            pairs: [_mm256_unpacklo_epi16(first, second), _mm256_unpackhi_epi16(first, second)],
            singles: [_mm256_unpacklo_epi16(third, zero), _mm256_unpackhi_epi16(third, zero)],
        }
    }
}

/// The weights of a kernel column, as [`Column`] has the values.
#[derive(Clone, Copy)]
struct Weights {
    pairs: [__m256i; 2],
    singles: [__m256i; 2],
}

impl Weights {
    /// Those of 16 channels.
    ///
    /// # Safety
    /// `from` has 16 groups of 4.
    #[target_feature(enable = "avx2")]
    unsafe fn load(from: *const i8) -> Self {
        let mut weights = Self { pairs: [_mm256_setzero_si256(); 2], singles: [_mm256_setzero_si256(); 2] };
        for half in 0..2 {
            // SAFETY: see above.
            let groups = unsafe { words(from, half) };
            // The rows' weights as 16-bit halves: first and third, second and nothing.
            let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(groups));
            let odd = _mm256_srai_epi16::<8>(groups);
            weights.pairs[half] = _mm256_blend_epi16::<0b1010_1010>(even, _mm256_slli_epi32::<16>(odd));
            weights.singles[half] = _mm256_srli_epi32::<16>(even);
        }
        weights
    }
}

/// Of 16 words the first and the third four (`half` 0), or the others (1).
///
/// # Safety
/// There are 16.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn words(from: *const i8, half: usize) -> __m256i {
    // SAFETY: see above.
    unsafe { _mm256_loadu2_m128i(from.add(32 + 16 * half).cast(), from.add(16 * half).cast()) }
}

/// The multipliers of 16 channels, dealt out as [`words`] are.
///
/// # Safety
/// There are 16 from `channel` on.
#[target_feature(enable = "avx2")]
unsafe fn rescale(channels: &PerChannel<'_>, channel: usize) -> [Rescale; 2] {
    // SAFETY: see above.
    unsafe {
        let mut shifts = [0i32; STEP];
        for (index, shift) in shifts.iter_mut().enumerate() {
            *shift = i32::from(*channels.shift.as_ptr().add(channel + index));
        }
        let (mantissas, shifts) = (channels.mantissa.as_ptr().add(channel).cast(), shifts.as_ptr().cast());
        [
            Rescale::new(words(mantissas, 0), words(shifts, 0)),
            Rescale::new(words(mantissas, 1), words(shifts, 1)),
        ]
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
    let finish = Finish::new(op.output.zero_point, op.activation);
    // SAFETY: see above.
    unsafe {
        let at = |tap: usize| op.weights.as_ptr().add((tap * channels + channel) * GROUP);
        let weights = [Weights::load(at(0)), Weights::load(at(1)), Weights::load(at(2))];
        let bias = op.channels.bias.as_ptr().add(channel).cast();
        let bias = [words(bias, 0), words(bias, 1)];
        let [one, other] = rescale(&op.channels, channel);
        // Columns to the left of the input wrap around to numbers beyond its right end.
        let mut x = 0usize.wrapping_sub(op.window.padding[1].into());
        let (mut left, mut middle) = (columns.get(x), columns.get(x.wrapping_add(1)));
        for index in 0..usize::from(op.output.shape.width) {
            let right = columns.get(x.wrapping_add(2));
            let mut sums = bias;
            for half in 0..2 {
                let mut sum = sums[half];
                for (column, weight) in [(left, &weights[0]), (middle, &weights[1]), (right, &weights[2])] {
                    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(column.pairs[half], weight.pairs[half]));
                    sum =
                        _mm256_add_epi32(sum, _mm256_madd_epi16(column.singles[half], weight.singles[half]));
                }
                sums[half] = sum;
            }
            let to = output.as_mut_ptr().add(index * channels + channel);
            _mm_storeu_si128(to.cast(), finish.apply(one.apply(sums[0]), other.apply(sums[1])));
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
