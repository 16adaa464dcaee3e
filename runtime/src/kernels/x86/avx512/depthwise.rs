//! Depthwise convolution with a 3x3 kernel.

use super::rescale::{Finish, Rescale};
use super::{LANES, first};
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
        // SAFETY: the column exists.
        let [first, second, third] = self.rows.map(|(row, apart)| unsafe {
            _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(self.mask, row.add(x * apart)))
        });
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
        let load = |words: *const i8| _mm512_maskz_loadu_epi32(columns.mask, words.cast());
        let weights: [__m512i; KERNEL] =
            core::array::from_fn(|tap| load(op.weights.as_ptr().add((tap * channels + channel) * GROUP)));
        let [bias, sum] =
            [op.channels.bias, op.channels.sum].map(|words| load(words.as_ptr().add(channel).cast()));
        let bias = _mm512_sub_epi32(bias, _mm512_slli_epi32::<7>(sum));
        let rescale = Rescale::load(&op.channels, channel, count);
        // Columns to the left of the input wrap around to numbers beyond its right end.
        let mut x = 0usize.wrapping_sub(op.window.padding[1].into());
        let mut window = [columns.get(x), columns.get(x.wrapping_add(1)), columns.padding];
        for index in 0..usize::from(op.output.shape.width) {
            window[2] = columns.get(x.wrapping_add(2));
            let mut sum = bias;
            for (column, weight) in window.into_iter().zip(weights) {
                sum = _mm512_dpbusd_epi32(sum, column, weight);
            }
            let to = output.as_mut_ptr().add(index * channels + channel);
            _mm_mask_storeu_epi8(to, columns.mask, finish.apply(rescale.apply(sum)));
            x = x.wrapping_add(stride);
            window = match stride {
                1 => [window[1], window[2], columns.padding],
                2 => [window[2], columns.get(x.wrapping_add(1)), columns.padding],
                _ => [columns.get(x), columns.get(x.wrapping_add(1)), columns.padding],
            };
        }
    }
}
