//! Depthwise convolution with a 3x3 kernel.

use super::bias::unsigned_bias;
use super::lanes::{LANES, first, first_bytes, scatter};
use super::rescale::{Finish, Rescale};
use crate::kernels::rows::Rows;
use crate::kernels::shapes::{KERNEL, window_rows};
use crate::operator::Convolution;
use crate::packing::GROUP;
use core::arch::x86_64::*;
use core::ops::Range;

/// Some rows of an operator that [`is_depthwise`](crate::kernels::shapes::is_depthwise).
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) fn depthwise(op: &Convolution<'_>, input: Rows<'_>, rows: Range<usize>, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    for channel in (0..channels).step_by(4 * LANES) {
        let rows = rows.clone();
        // SAFETY: the channels exist in the rows, the operator's parameters and the output.
        unsafe {
            match (channels - channel).min(4 * LANES) {
                16 => block::<1, true>(op, input, rows, channel, output),
                32 => block::<2, true>(op, input, rows, channel, output),
                48 => block::<3, true>(op, input, rows, channel, output),
                64 => block::<4, true>(op, input, rows, channel, output),
                0..16 => block::<1, false>(op, input, rows, channel, output),
                17..32 => block::<2, false>(op, input, rows, channel, output),
                33..48 => block::<3, false>(op, input, rows, channel, output),
                _ => block::<4, false>(op, input, rows, channel, output),
            }
        }
    }
}

/// The input's columns, 64 channels or fewer.
struct Columns {
    /// Where each row of the window begins, and how far its columns lie apart.
    rows: [(*const i8, usize); KERNEL],
    width: usize,
    /// The channels that exist.
    mask: u64,
    /// 64 zero points, unsigned.
    padding: __m512i,
}

impl Columns {
    /// Column `x`, 16 channels a register: in each lane the bytes of the three rows, unsigned; zero points beyond the input.
    ///
    /// # Safety
    /// The rows are as described, and hold the channels that the mask lets through.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn get<const V: usize, const WHOLE: bool>(&self, x: usize) -> [__m512i; V] {
        if x >= self.width {
            return [self.padding; V];
        }
        let [first, second, third] = self.rows;
        // SAFETY: the column exists.
        let [first, second, third] = unsafe {
            [
                self.load::<V, WHOLE>(first.0.add(x * first.1)),
                self.load::<V, WHOLE>(second.0.add(x * second.1)),
                self.load::<V, WHOLE>(third.0.add(x * third.1)),
            ]
        };
        // Unpacking works in each quarter of a register by itself. The order in which the bytes were loaded makes up for that.
        let low = (_mm512_unpacklo_epi8(first, second), _mm512_unpacklo_epi8(third, third));
        let mut quads = [self.padding; V];
        quads[0] = _mm512_unpacklo_epi16(low.0, low.1);
        if V > 1 {
            quads[1] = _mm512_unpackhi_epi16(low.0, low.1);
        }
        if V > 2 {
            let high = (_mm512_unpackhi_epi8(first, second), _mm512_unpackhi_epi8(third, third));
            quads[2] = _mm512_unpacklo_epi16(high.0, high.1);
            if V > 3 {
                quads[3] = _mm512_unpackhi_epi16(high.0, high.1);
            }
        }
        quads
    }

    /// 64 bytes made unsigned, the groups of four of each 16 dealt out to the quarters of the register.
    ///
    /// # Safety
    /// The bytes that the mask lets through are there.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn load<const V: usize, const WHOLE: bool>(&self, from: *const i8) -> __m512i {
        // SAFETY: see above. No wider than need be: a load over the end of a cache line counts twice, and masks are slow on
        // some processors.
        let bytes = unsafe {
            match (V, WHOLE) {
                (1, true) => _mm512_castsi128_si512(_mm_loadu_si128(from.cast())),
                (2, true) => _mm512_castsi256_si512(_mm256_loadu_si256(from.cast())),
                (3, true) => {
                    let low = _mm512_castsi256_si512(_mm256_loadu_si256(from.cast()));
                    _mm512_inserti32x4::<2>(low, _mm_loadu_si128(from.add(2 * LANES).cast()))
                }
                (_, true) => _mm512_loadu_epi8(from),
                _ => _mm512_maskz_loadu_epi8(self.mask, from),
            }
        };
        let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        _mm512_permutexvar_epi32(order, _mm512_xor_si512(bytes, _mm512_set1_epi8(i8::MIN)))
    }
}

/// Rows of 16 `V` channels, or unless `WHOLE` of fewer.
///
/// # Safety
/// The operator is one for this kernel; from `channel` on at least one is left for the last register.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn block<const V: usize, const WHOLE: bool>(
    op: &Convolution<'_>,
    input: Rows<'_>,
    rows: Range<usize>,
    channel: usize,
    output: &mut [i8],
) {
    let channels = usize::from(op.output.shape.channels);
    let left = (channels - channel).min(V * LANES);
    let padding = [op.input.zero_point; 4 * LANES];
    // SAFETY: the counts let through the channels that exist.
    let filter = unsafe { Filter::<V>::new(op, channel, left) };
    // Not a closure: what it captures would lie in memory.
    for (y, output) in rows.zip(output.chunks_exact_mut(op.output.row_len())) {
        let mut columns = Columns {
            // The same padding at every column.
            rows: [(padding.as_ptr(), 0); KERNEL],
            width: op.input.shape.width.into(),
            mask: first_bytes(left),
            padding: _mm512_set1_epi8(op.input.zero_point ^ i8::MIN),
        };
        let rows = window_rows(op, input, y);
        for tap in 0..KERNEL {
            if let Some(row) = rows[tap] {
                columns.rows[tap] = (row[channel.min(row.len())..].as_ptr(), channels);
            }
        }
        // SAFETY: the channels exist in the rows, and the output has as many columns.
        unsafe { row::<V, WHOLE>(op, &columns, &filter, left, output[channel..].as_mut_ptr()) };
    }
}

/// A row of `left` channels.
///
/// # Safety
/// `columns` are those of the row, and `to` has the place of the channels in its first column.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn row<const V: usize, const WHOLE: bool>(
    op: &Convolution<'_>,
    columns: &Columns,
    filter: &Filter<V>,
    left: usize,
    to: *mut i8,
) {
    let [width, channels] = [op.output.shape.width, op.output.shape.channels].map(usize::from);
    // SAFETY: see above.
    unsafe {
        let mut windows = Windows::<V, WHOLE>::new(op, columns);
        if V == 1 {
            for x in (0..width).step_by(4) {
                let count = (width - x).min(4);
                // Beyond the row's end the last window is used again.
                let mut window = windows.next();
                let mut four = [window; 4];
                for next in 1..4 {
                    if next < count {
                        window = windows.next();
                    }
                    four[next] = window;
                }
                let four = filter.apply(four);
                let four = [four[0][0], four[1][0], four[2][0], four[3][0]];
                let values = filter.finish.apply(four);
                if channels == LANES && count == 4 {
                    _mm512_storeu_si512(to.add(x * channels).cast(), values);
                    continue;
                }
                let places = [0, 1, 2, 3].map(|next: usize| to.add((x + next.min(count - 1)) * channels));
                scatter(places, left, values);
            }
            return;
        }
        for x in (0..width).step_by(2) {
            let (to, window) = (to.add(x * channels), windows.next());
            let two = x + 1 < width;
            let [one, other] =
                if two { filter.apply([window, windows.next()]) } else { [filter.apply([window])[0]; 2] };
            if V == 2 {
                let values = filter.finish.apply([one[0], one[V - 1], other[0], other[V - 1]]);
                store::<V, WHOLE>(to, columns.mask, values);
                if two {
                    let second = _mm512_shuffle_i64x2::<0b11_10>(values, values);
                    store::<V, WHOLE>(to.add(channels), columns.mask, second);
                }
                continue;
            }
            store::<V, WHOLE>(to, columns.mask, filter.finish.apply(quarters(one)));
            if two {
                store::<V, WHOLE>(to.add(channels), columns.mask, filter.finish.apply(quarters(other)));
            }
        }
    }
}

/// `V` registers as four, the last one repeated.
#[inline(always)]
fn quarters<const V: usize>(values: [__m512i; V]) -> [__m512i; 4] {
    [values[0], values[1.min(V - 1)], values[2.min(V - 1)], values[V - 1]]
}

/// Stores the first 16 `V` of 64 values, or those of the mask.
///
/// # Safety
/// There is room.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn store<const V: usize, const WHOLE: bool>(to: *mut i8, mask: u64, values: __m512i) {
    // SAFETY: see above.
    unsafe {
        match (V, WHOLE) {
            (2, true) => _mm256_storeu_si256(to.cast(), _mm512_castsi512_si256(values)),
            (3, true) => {
                _mm256_storeu_si256(to.cast(), _mm512_castsi512_si256(values));
                _mm_storeu_si128(to.add(2 * LANES).cast(), _mm512_extracti32x4_epi32::<2>(values));
            }
            (4, true) => _mm512_storeu_si512(to.cast(), values),
            _ => _mm512_mask_storeu_epi8(to, mask, values),
        }
    }
}

/// What is the same for all outputs of some channels.
struct Filter<const V: usize> {
    weights: [[__m512i; V]; KERNEL],
    bias: [__m512i; V],
    rescale: [Rescale; V],
    finish: Finish,
}

impl<const V: usize> Filter<V> {
    /// Of `count` channels.
    ///
    /// # Safety
    /// As of [`block`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn new(op: &Convolution<'_>, channel: usize, count: usize) -> Self {
        let channels = usize::from(op.output.shape.channels);
        let finish = Finish::new(op.output.zero_point, op.activation);
        // SAFETY: see above.
        unsafe {
            let mut weights = [[_mm512_setzero_si512(); V]; KERNEL];
            let mut bias = [_mm512_setzero_si512(); V];
            let mut rescale = [Rescale::load(&op.channels, channel, count.min(LANES)); V];
            for v in 0..V {
                let (channel, count) = (channel + v * LANES, (count - v * LANES).min(LANES));
                for tap in 0..KERNEL {
                    let at = op.weights.as_ptr().add((tap * channels + channel) * GROUP);
                    weights[tap][v] = _mm512_maskz_loadu_epi32(first(count), at.cast());
                }
                bias[v] = unsigned_bias(&op.channels, channel, count);
                rescale[v] = Rescale::load(&op.channels, channel, count);
            }
            Self { weights, bias, rescale, finish }
        }
    }

    /// `N` outputs, rescaled: what they share is loaded once.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn apply<const N: usize>(&self, windows: [[[__m512i; V]; KERNEL]; N]) -> [[__m512i; V]; N] {
        let mut sums = [self.bias; N];
        for v in 0..V {
            for tap in 0..KERNEL {
                for n in 0..N {
                    sums[n][v] = _mm512_dpbusd_epi32(sums[n][v], windows[n][tap][v], self.weights[tap][v]);
                }
            }
            for n in 0..N {
                sums[n][v] = self.rescale[v].apply(sums[n][v]);
            }
        }
        sums
    }
}

/// The windows of a row from left to right.
struct Windows<'a, const V: usize, const WHOLE: bool> {
    columns: &'a Columns,
    stride: usize,
    /// The first column of the next window, and what that and the one after it hold.
    x: usize,
    ahead: [[__m512i; V]; 2],
}

impl<'a, const V: usize, const WHOLE: bool> Windows<'a, V, WHOLE> {
    /// # Safety
    /// As of [`Columns::get`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn new(op: &Convolution<'_>, columns: &'a Columns) -> Self {
        // Columns to the left of the input wrap around to numbers beyond its right end.
        let x = 0usize.wrapping_sub(op.window.padding[1].into());
        // SAFETY: see above.
        let ahead = unsafe { [columns.get::<V, WHOLE>(x), columns.get::<V, WHOLE>(x.wrapping_add(1))] };
        Self { columns, stride: op.window.stride[1].into(), x, ahead }
    }

    /// The columns of the next window. What the one after it needs too is not made again.
    ///
    /// # Safety
    /// As of [`Columns::get`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn next(&mut self) -> [[__m512i; V]; KERNEL] {
        let [left, middle] = self.ahead;
        // SAFETY: see above.
        unsafe {
            let right = self.columns.get::<V, WHOLE>(self.x.wrapping_add(2));
            self.x = self.x.wrapping_add(self.stride);
            self.ahead = match self.stride {
                1 => [middle, right],
                2 => [right, self.columns.get::<V, WHOLE>(self.x.wrapping_add(1))],
                _ => [
                    self.columns.get::<V, WHOLE>(self.x),
                    self.columns.get::<V, WHOLE>(self.x.wrapping_add(1)),
                ],
            };
            [left, middle, right]
        }
    }
}
