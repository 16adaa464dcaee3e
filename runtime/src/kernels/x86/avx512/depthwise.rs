//! Depthwise convolution with a 3x3 kernel.

use super::product::unsigned_bias;
use super::rescale::{Finish, Rescale};
use super::{LANES, first, scatter};
use crate::kernels::Rows;
use crate::kernels::shapes::{KERNEL, window_rows};
use crate::operator::Convolution;
use crate::packing::GROUP;
use core::arch::x86_64::*;

/// Row `y` of an operator that [`is_depthwise`](crate::kernels::shapes::is_depthwise).
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) fn depthwise(op: &Convolution<'_>, input: Rows<'_>, y: usize, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    let padding = [op.input.zero_point; 4 * LANES];
    let rows = window_rows(op, input, y);
    let mut channel = 0;
    while channel < channels {
        let columns = Columns {
            rows: rows.map(|row| match row {
                Some(row) => (row[channel.min(row.len())..].as_ptr(), channels),
                // The same padding at every column.
                None => (padding.as_ptr(), 0),
            }),
            width: op.input.shape.width.into(),
            mask: first_bytes(channels - channel),
            padding: _mm512_set1_epi8(op.input.zero_point ^ i8::MIN),
        };
        // SAFETY: the channels exist in the rows, the operator's parameters and the output.
        unsafe {
            match (channels - channel).div_ceil(LANES) {
                1 => block::<1>(op, &columns, channel, output),
                2 => block::<2>(op, &columns, channel, output),
                3 => block::<3>(op, &columns, channel, output),
                _ => block::<4>(op, &columns, channel, output),
            }
        }
        channel += 4 * LANES;
    }
}

/// A mask of the first `count` bytes of 64.
const fn first_bytes(count: usize) -> u64 {
    if count >= 4 * LANES { u64::MAX } else { (1u64 << count).wrapping_sub(1) }
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
    unsafe fn get<const V: usize>(&self, x: usize) -> [__m512i; V] {
        if x >= self.width {
            return [self.padding; V];
        }
        let [first, second, third] = self.rows;
        // SAFETY: the column exists.
        let [first, second, third] = unsafe {
            [
                self.load::<V>(first.0.add(x * first.1)),
                self.load::<V>(second.0.add(x * second.1)),
                self.load::<V>(third.0.add(x * third.1)),
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
    unsafe fn load<const V: usize>(&self, from: *const i8) -> __m512i {
        // SAFETY: see above. No wider than need be: a load over the end of a cache line counts twice, and masks are slow on
        // some processors.
        let bytes = unsafe {
            match (V, self.mask) {
                (1, 0xffff) => _mm512_castsi128_si512(_mm_loadu_si128(from.cast())),
                (2, 0xffff_ffff) => _mm512_castsi256_si512(_mm256_loadu_si256(from.cast())),
                (3, 0xffff_ffff_ffff) => {
                    let low = _mm512_castsi256_si512(_mm256_loadu_si256(from.cast()));
                    _mm512_inserti32x4::<2>(low, _mm_loadu_si128(from.add(2 * LANES).cast()))
                }
                (4, u64::MAX) => _mm512_loadu_epi8(from),
                _ => _mm512_maskz_loadu_epi8(self.mask, from),
            }
        };
        let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        _mm512_permutexvar_epi32(order, _mm512_xor_si512(bytes, _mm512_set1_epi8(i8::MIN)))
    }
}

/// One row of up to 16 `V` channels.
///
/// # Safety
/// The operator is one for this kernel; `columns` are those from `channel` on, of which at least one is left for the last register.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn block<const V: usize>(op: &Convolution<'_>, columns: &Columns, channel: usize, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    let left = (channels - channel).min(V * LANES);
    let width = usize::from(op.output.shape.width);
    // SAFETY: the counts let through the channels that exist.
    unsafe {
        let mut row = Row::<V>::new(op, columns, channel, left);
        let to = output.as_mut_ptr().add(channel);
        if V == 1 {
            for x in (0..width).step_by(4) {
                let count = (width - x).min(4);
                let mut sums = row.bias;
                let mut four = [sums[0]; 4];
                for (next, sum) in four.iter_mut().enumerate() {
                    // Beyond the row's end the last output is stored again.
                    if next < count {
                        sums = row.next();
                    }
                    *sum = sums[0];
                }
                let values = row.finish.apply(four);
                let places = [0, 1, 2, 3].map(|next: usize| to.add((x + next.min(count - 1)) * channels));
                scatter(places, left, values);
            }
            return;
        }
        for x in 0..width {
            let sums = row.next();
            let values = row.finish.apply([sums[0], sums[1.min(V - 1)], sums[2.min(V - 1)], sums[V - 1]]);
            let to = to.add(x * channels);
            match left {
                16 => _mm_storeu_si128(to.cast(), _mm512_castsi512_si128(values)),
                32 => _mm256_storeu_si256(to.cast(), _mm512_castsi512_si256(values)),
                48 => {
                    _mm256_storeu_si256(to.cast(), _mm512_castsi512_si256(values));
                    _mm_storeu_si128(to.add(2 * LANES).cast(), _mm512_extracti32x4_epi32::<2>(values));
                }
                64 => _mm512_storeu_si512(to.cast(), values),
                _ => _mm512_mask_storeu_epi8(to, columns.mask, values),
            }
        }
    }
}

/// A row of outputs as it is computed from left to right.
struct Row<'a, const V: usize> {
    columns: &'a Columns,
    weights: [[__m512i; V]; KERNEL],
    bias: [__m512i; V],
    rescale: [Rescale; V],
    finish: Finish,
    stride: usize,
    /// The first column of the next window, and what that and the one after it hold.
    x: usize,
    ahead: [[__m512i; V]; 2],
}

impl<'a, const V: usize> Row<'a, V> {
    /// The begin of a row of `count` channels.
    ///
    /// # Safety
    /// As of [`block`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn new(op: &Convolution<'_>, columns: &'a Columns, channel: usize, count: usize) -> Self {
        let channels = usize::from(op.output.shape.channels);
        // SAFETY: see above.
        unsafe {
            let mut weights = [[columns.padding; V]; KERNEL];
            let mut bias = [columns.padding; V];
            let mut rescale = [Rescale::load(&op.channels, channel, count.min(LANES)); V];
            for v in 0..V {
                let (channel, count) = (channel + v * LANES, (count - v * LANES).min(LANES));
                for (tap, weights) in weights.iter_mut().enumerate() {
                    let at = op.weights.as_ptr().add((tap * channels + channel) * GROUP);
                    weights[v] = _mm512_maskz_loadu_epi32(first(count), at.cast());
                }
                bias[v] = unsigned_bias(&op.channels, channel, count);
                rescale[v] = Rescale::load(&op.channels, channel, count);
            }
            // Columns to the left of the input wrap around to numbers beyond its right end.
            let x = 0usize.wrapping_sub(op.window.padding[1].into());
            let ahead = [columns.get(x), columns.get(x.wrapping_add(1))];
            let finish = Finish::new(op.output.zero_point, op.activation);
            Self { columns, weights, bias, rescale, finish, stride: op.window.stride[1].into(), x, ahead }
        }
    }

    /// The next output, rescaled.
    ///
    /// # Safety
    /// As of [`Columns::get`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn next(&mut self) -> [__m512i; V] {
        let [left, middle] = self.ahead;
        // SAFETY: see above.
        let right = unsafe { self.columns.get::<V>(self.x.wrapping_add(2)) };
        let mut sums = self.bias;
        for v in 0..V {
            let sum = _mm512_dpbusd_epi32(self.bias[v], left[v], self.weights[0][v]);
            let sum = _mm512_dpbusd_epi32(sum, middle[v], self.weights[1][v]);
            let sum = _mm512_dpbusd_epi32(sum, right[v], self.weights[2][v]);
            sums[v] = self.rescale[v].apply(sum);
        }
        // A column that the next output needs too is not made again.
        self.x = self.x.wrapping_add(self.stride);
        // SAFETY: see above.
        unsafe {
            self.ahead = match self.stride {
                1 => [middle, right],
                2 => [right, self.columns.get(self.x.wrapping_add(1))],
                _ => [self.columns.get(self.x), self.columns.get(self.x.wrapping_add(1))],
            };
        }
        sums
    }
}
