//! Depthwise convolution with a 3x3 kernel.

use super::product::unsigned_bias;
use super::rescale::{Finish, Rescale};
use super::{LANES, first, load, scatter};
use crate::kernels::Rows;
use crate::operator::Convolution;
use crate::packing::GROUP;
use core::arch::x86_64::*;

/// Kernel rows and columns.
const KERNEL: usize = 3;

/// Whether the operator is one for this kernel: 3x3, each channel by itself, small multipliers, and lengths as its shapes
/// say.
pub(super) fn fits(op: &Convolution<'_>, output: &[i8]) -> bool {
    let channels = usize::from(op.output.shape.channels);
    let constants =
        [op.channels.bias.len(), op.channels.sum.len(), op.channels.mantissa.len(), op.channels.shift.len()];
    op.window.kernel == [KERNEL as u16; 2]
        && op.input.shape.channels == op.output.shape.channels
        && op.channels.small
        && constants == [channels; 4]
        && op.weights.len() >= KERNEL * GROUP * channels
        && output.len() >= usize::from(op.output.shape.width) * channels
}

/// Row `y`; the operator [`fits`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) fn depthwise(op: &Convolution<'_>, input: Rows<'_>, y: usize, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    let padding = [op.input.zero_point; LANES];
    let (top, taps) = op.window.clip(0, y, op.input.shape.height.into());
    let rows: [Option<&[i8]>; KERNEL] = core::array::from_fn(|tap| {
        let row = taps.contains(&tap).then(|| input.row(top + tap - taps.start))?;
        (row.len() == op.input.row_len()).then_some(row)
    });
    for channel in (0..channels).step_by(LANES) {
        let columns = Columns {
            rows: rows.map(|row| match row {
                Some(row) => (row[channel.min(row.len())..].as_ptr(), channels),
                // The same padding at every column.
                None => (padding.as_ptr(), 0),
            }),
            width: op.input.shape.width.into(),
            mask: first(channels - channel),
            padding: _mm512_set1_epi32(i32::from(op.input.zero_point as u8 ^ 0x80) * 0x01_01_01),
        };
        // SAFETY: the block's channels exist in the rows, the operator's parameters and the output.
        unsafe { block(op, &columns, channel, output) };
    }
}

/// The input's columns, 16 channels or fewer.
struct Columns {
    /// Where each row of the window begins, and how far its columns lie apart.
    rows: [(*const i8, usize); KERNEL],
    width: usize,
    mask: u16,
    /// A column of zero points.
    padding: __m512i,
}

impl Columns {
    /// Column `x`: in each lane the bytes of the three rows, unsigned; zero points beyond the input.
    ///
    /// # Safety
    /// The rows are as described, and hold the channels that the mask lets through.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn get(&self, x: usize) -> __m512i {
        if x >= self.width {
            return self.padding;
        }
        let [first, second, third] = self.rows;
        // SAFETY: the column exists.
        let [first, second, third] = unsafe {
            [
                _mm512_cvtepu8_epi32(load(first.0.add(x * first.1), self.mask)),
                _mm512_cvtepu8_epi32(load(second.0.add(x * second.1), self.mask)),
                _mm512_cvtepu8_epi32(load(third.0.add(x * third.1), self.mask)),
            ]
        };
        const OR: i32 = 0xfe;
        let joined = _mm512_ternarylogic_epi32::<OR>(
            first,
            _mm512_slli_epi32::<8>(second),
            _mm512_slli_epi32::<16>(third),
        );
        _mm512_xor_si512(joined, _mm512_set1_epi32(0x80_80_80))
    }
}

/// One row of 16 channels or fewer.
///
/// # Safety
/// The operator [`fits`]; `columns` are those from `channel` on, which exists.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn block(op: &Convolution<'_>, columns: &Columns, channel: usize, output: &mut [i8]) {
    let channels = usize::from(op.output.shape.channels);
    let count = (channels - channel).min(LANES);
    let stride = usize::from(op.window.stride[1]);
    let finish = Finish::new(op.output.zero_point, op.activation);
    // SAFETY: the masks let through the channels that exist.
    unsafe {
        let mut weights = [columns.padding; KERNEL];
        for (tap, weight) in weights.iter_mut().enumerate() {
            let at = op.weights.as_ptr().add((tap * channels + channel) * GROUP);
            *weight = _mm512_maskz_loadu_epi32(columns.mask, at.cast());
        }
        let bias = unsigned_bias(&op.channels, channel, count);
        let rescale = Rescale::load(&op.channels, channel, count);
        let mut row =
            Row { columns, weights, bias, rescale, finish, stride, x: 0, ahead: [columns.padding; 2] };
        // Columns to the left of the input wrap around to numbers beyond its right end.
        row.move_to(0usize.wrapping_sub(op.window.padding[1].into()));
        let width = usize::from(op.output.shape.width);
        let to = output.as_mut_ptr().add(channel);
        let mut x = 0;
        while x + 4 <= width {
            let values = row.next::<4>();
            scatter([0, 1, 2, 3].map(|next| to.add((x + next) * channels)), count, values);
            x += 4;
        }
        while x < width {
            let values = row.next::<1>();
            scatter([to.add(x * channels)], count, values);
            x += 1;
        }
    }
}

/// A row of outputs as it is computed from left to right.
struct Row<'a> {
    columns: &'a Columns,
    weights: [__m512i; KERNEL],
    bias: __m512i,
    rescale: Rescale,
    finish: Finish,
    stride: usize,
    /// The first column of the next window, and what that and the one after it hold.
    x: usize,
    ahead: [__m512i; 2],
}

impl Row<'_> {
    /// Begins at a column.
    ///
    /// # Safety
    /// As of [`Columns::get`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn move_to(&mut self, x: usize) {
        self.x = x;
        // SAFETY: see above.
        self.ahead = unsafe { [self.columns.get(x), self.columns.get(x.wrapping_add(1))] };
    }

    /// The next outputs, at most 4, in the quarters of a register.
    ///
    /// # Safety
    /// As of [`Columns::get`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn next<const N: usize>(&mut self) -> __m512i {
        let mut values = [self.bias; 4];
        for value in values.iter_mut().take(N) {
            // SAFETY: see above.
            let sum = unsafe { self.sum() };
            *value = self.rescale.apply(sum);
        }
        self.finish.apply(values)
    }

    /// The next sum.
    ///
    /// # Safety
    /// As of [`Columns::get`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn sum(&mut self) -> __m512i {
        let [left, middle] = self.ahead;
        // SAFETY: see above.
        unsafe {
            let right = self.columns.get(self.x.wrapping_add(2));
            let sum = _mm512_dpbusd_epi32(self.bias, left, self.weights[0]);
            let sum = _mm512_dpbusd_epi32(sum, middle, self.weights[1]);
            let sum = _mm512_dpbusd_epi32(sum, right, self.weights[2]);
            // A column that the next output needs too is not made again.
            self.x = self.x.wrapping_add(self.stride);
            match self.stride {
                1 => self.ahead = [middle, right],
                2 => self.ahead = [right, self.columns.get(self.x.wrapping_add(1))],
                _ => self.move_to(self.x),
            }
            sum
        }
    }
}
