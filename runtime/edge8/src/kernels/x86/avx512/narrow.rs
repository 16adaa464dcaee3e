//! Depthwise convolution with a 3x3 kernel and stride 1 of 8 or 16 channels: a register has several pixels.
//!
//! 64 bytes of each of three rows are interleaved to four registers, whose lanes hold the three bytes of a column. In
//! register `v`, lane `4 q + i` is byte `16 q + 4 v + i` of the 64: what unpacking leaves, and packing takes back.

use super::lanes::{LANES, first_bytes};
use super::rescale::{Finish, Rescale};
use crate::kernels::rows::Rows;
use crate::kernels::shapes::{KERNEL, window_rows};
use crate::operator::{Convolution, PerChannel};
use crate::packing::GROUP;
use core::arch::x86_64::*;
use core::ops::Range;

/// Bytes of a row at a time.
const BYTES: usize = 4 * LANES;

/// Whether a depthwise convolution is one for this kernel, if it is for the other.
pub(super) fn is_narrow(op: &Convolution<'_>) -> bool {
    let [input, output] = [op.input.shape, op.output.shape];
    matches!(input.channels, 8 | 16)
        && (op.window.stride[1], op.window.padding[1]) == (1, 1)
        && input.width == output.width
}

/// Some rows of an operator that [`is_depthwise`](crate::kernels::shapes::is_depthwise) and [`is_narrow`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) fn depthwise(op: &Convolution<'_>, input: Rows<'_>, rows: Range<usize>, output: &mut [i8]) {
    if op.input.shape.channels == 8 {
        rows_of::<8>(op, input, rows, output);
    } else {
        rows_of::<16>(op, input, rows, output);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn rows_of<const CHANNELS: usize>(
    op: &Convolution<'_>,
    input: Rows<'_>,
    rows: Range<usize>,
    output: &mut [i8],
) {
    let filter = Filter::new::<CHANNELS>(op);
    let row_len = op.output.row_len();
    let padding = _mm512_set1_epi8(op.input.zero_point ^ i8::MIN);
    for (y, output) in rows.zip(output.chunks_exact_mut(row_len)) {
        let mut rows: [&[i8]; KERNEL] = [&[]; KERNEL];
        for (tap, row) in window_rows(op, input, y).iter().enumerate() {
            if let Some(row) = row {
                rows[tap] = row;
            }
        }
        let (mut before, mut here) = ([padding; 4], columns(rows, 0, padding));
        for (block, output) in output.chunks_mut(BYTES).enumerate() {
            let next = (block + 1) * BYTES;
            let after = if next < row_len { columns(rows, next, padding) } else { [padding; 4] };
            let values =
                filter.apply(&[left::<CHANNELS>(before, here), here, right::<CHANNELS>(here, after)]);
            // SAFETY: the mask lets through as many values as there are.
            unsafe {
                match output.len() {
                    BYTES => _mm512_storeu_si512(output.as_mut_ptr().cast(), values),
                    len => _mm512_mask_storeu_epi8(output.as_mut_ptr(), first_bytes(len), values),
                }
            }
            (before, here) = (here, after);
        }
    }
}

/// The columns of 64 bytes of three rows from `start` on, unsigned; what is missing is padding.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn columns(rows: [&[i8]; KERNEL], start: usize, padding: __m512i) -> [__m512i; 4] {
    let flip = _mm512_set1_epi8(i8::MIN);
    let mut values = [padding; KERNEL];
    for tap in 0..KERNEL {
        let (from, left) = (rows[tap].as_ptr().wrapping_add(start), rows[tap].len().saturating_sub(start));
        // Nothing is loaded of a row that is missing: a load with an empty mask from nowhere takes hundreds of cycles.
        if left > 0 {
            // SAFETY: 64 bytes, or as many as the mask lets through, are there.
            let bytes = unsafe {
                if left >= BYTES {
                    _mm512_loadu_si512(from.cast())
                } else {
                    _mm512_mask_loadu_epi8(_mm512_xor_si512(padding, flip), first_bytes(left), from)
                }
            };
            values[tap] = _mm512_xor_si512(bytes, flip);
        }
    }
    let [first, second, third] = values;
    let low = (_mm512_unpacklo_epi8(first, second), _mm512_unpacklo_epi8(third, third));
    let high = (_mm512_unpackhi_epi8(first, second), _mm512_unpackhi_epi8(third, third));
    [
        _mm512_unpacklo_epi16(low.0, low.1),
        _mm512_unpackhi_epi16(low.0, low.1),
        _mm512_unpacklo_epi16(high.0, high.1),
        _mm512_unpackhi_epi16(high.0, high.1),
    ]
}

/// The columns one pixel to the left.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn left<const CHANNELS: usize>(before: [__m512i; 4], here: [__m512i; 4]) -> [__m512i; 4] {
    let back = |v: usize| _mm512_alignr_epi32::<12>(here[v], before[v]);
    match CHANNELS {
        8 => [back(2), back(3), here[0], here[1]],
        _ => [back(0), back(1), back(2), back(3)],
    }
}

/// The columns one pixel to the right.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn right<const CHANNELS: usize>(here: [__m512i; 4], after: [__m512i; 4]) -> [__m512i; 4] {
    let on = |v: usize| _mm512_alignr_epi32::<4>(after[v], here[v]);
    match CHANNELS {
        8 => [here[2], here[3], on(0), on(1)],
        _ => [on(0), on(1), on(2), on(3)],
    }
}

/// What is the same for all outputs.
struct Filter {
    weights: [[__m512i; 4]; KERNEL],
    bias: [__m512i; 4],
    rescale: [Rescale; 4],
    finish: Finish,
}

impl Filter {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn new<const CHANNELS: usize>(op: &Convolution<'_>) -> Self {
        let PerChannel { bias, sum, mantissa, shift, .. } = op.channels;
        let zero = _mm512_setzero_si512();
        let (mut weights, mut biases, mut rescale) =
            ([[zero; 4]; KERNEL], [zero; 4], [Rescale::new(zero, zero); 4]);
        for v in 0..4 {
            let channel = 4 * v % CHANNELS;
            // SAFETY: there are as many channels, with constants and three times four weights each.
            unsafe {
                let four = |words: *const u8| _mm512_broadcast_i32x4(_mm_loadu_si128(words.cast()));
                for tap in 0..KERNEL {
                    weights[tap][v] =
                        four(op.weights.as_ptr().add((tap * CHANNELS + channel) * GROUP).cast());
                }
                let sums = _mm512_slli_epi32::<7>(four(sum.as_ptr().add(channel).cast()));
                biases[v] = _mm512_sub_epi32(four(bias.as_ptr().add(channel).cast()), sums);
                let shift = _mm_cvtepi8_epi32(_mm_loadu_si32(shift.as_ptr().add(channel).cast()));
                rescale[v] =
                    Rescale::new(four(mantissa.as_ptr().add(channel).cast()), _mm512_broadcast_i32x4(shift));
            }
        }
        let finish = Finish::new(op.output.zero_point, op.activation);
        Self { weights, bias: biases, rescale, finish }
    }

    /// 64 outputs from the columns to their left, their own, and those to their right.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn apply(&self, window: &[[__m512i; 4]; KERNEL]) -> __m512i {
        let mut sums = self.bias;
        for v in 0..4 {
            for tap in 0..KERNEL {
                sums[v] = _mm512_dpbusd_epi32(sums[v], window[tap][v], self.weights[tap][v]);
            }
            sums[v] = self.rescale[v].apply(sums[v]);
        }
        self.finish.apply_in_place(sums)
    }
}
