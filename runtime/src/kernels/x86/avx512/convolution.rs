//! Convolution of any window: patches are cut from padded rows that have been made unsigned.

use super::product::{self, CHUNK, Tiles};
use crate::kernels::Rows;
use crate::operator::Convolution;
use core::arch::x86_64::*;
use core::mem::MaybeUninit;
use core::ops::Range;

/// Bytes for the padded rows of a window.
const LINES: usize = 8192;

/// Bytes that a copy may read or write beyond what it is for.
const SLACK: usize = 64;

/// A row of the input as wide as the windows of a row of outputs reach, and what a copy may read beyond it.
fn line_len(op: &Convolution<'_>) -> usize {
    let [width, stride, kernel] =
        [op.output.shape.width, op.window.stride[1], op.window.kernel[1]].map(usize::from);
    let columns = width.saturating_sub(1).saturating_mul(stride).saturating_add(kernel);
    columns.saturating_mul(op.input.shape.channels.into()).saturating_add(SLACK)
}

/// Whether the operator is one for this kernel: a matrix that fits the product, and rows that fit the memory.
pub(super) fn fits(op: &Convolution<'_>) -> bool {
    product::fits(&op.matrix()) && line_len(op).saturating_mul(op.window.kernel[0].into()) <= LINES
}

/// Row `y`; the operator [`fits`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) fn convolution(op: &Convolution<'_>, input: Rows<'_>, y: usize, output: &mut [i8]) {
    let mut lines = [MaybeUninit::<u8>::uninit(); LINES];
    let mut patches = [MaybeUninit::<u8>::uninit(); CHUNK + SLACK];
    let line_len = line_len(op);
    let (top, taps) = op.window.clip(0, y, op.input.shape.height.into());
    for (tap, line) in lines.chunks_exact_mut(line_len).take(op.window.kernel[0].into()).enumerate() {
        let row = if taps.contains(&tap) { input.row(top + tap - taps.start) } else { &[] };
        pad(op, row, line);
    }
    let matrix = op.matrix();
    let outputs = matrix.outputs().max(1);
    let many = CHUNK / matrix.depth;
    for (index, output) in output.chunks_mut(many * outputs).enumerate() {
        let count = output.len() / outputs;
        // SAFETY: the lines are as long as the windows of this row reach, and the chunk has room for the patches. Then the
        // patches lie as the product wants them.
        unsafe {
            cut(
                op,
                lines.as_ptr().cast(),
                line_len,
                index * many..index * many + count,
                patches.as_mut_ptr().cast(),
            );
            Tiles {
                op: &matrix,
                input: patches.as_ptr().cast(),
                output: output.as_mut_ptr(),
                patches: count,
            }
            .run();
        }
    }
}

/// Fills a line with a row of the input, made unsigned, between zero points.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn pad(op: &Convolution<'_>, row: &[i8], line: &mut [MaybeUninit<u8>]) {
    let depth = usize::from(op.input.shape.channels);
    let zero_point = op.input.zero_point as u8 ^ 0x80;
    let left = (usize::from(op.window.padding[1]) * depth).min(line.len());
    let (before, rest) = line.split_at_mut(left);
    let (inside, after) = rest.split_at_mut(row.len().min(rest.len()));
    before.fill(MaybeUninit::new(zero_point));
    after.fill(MaybeUninit::new(zero_point));
    for (to, &from) in inside.iter_mut().zip(row) {
        *to = MaybeUninit::new(from as u8 ^ 0x80);
    }
}

/// Cuts the patches of some columns of the output from the lines.
///
/// # Safety
/// The lines hold the windows of these columns and [`SLACK`] more; `to` has room for their patches and as much more.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn cut(op: &Convolution<'_>, lines: *const u8, line_len: usize, columns: Range<usize>, to: *mut u8) {
    let depth = usize::from(op.input.shape.channels);
    let step = usize::from(op.window.stride[1]) * depth;
    let row_len = usize::from(op.window.kernel[1]) * depth;
    let (taps, patch_len) = (usize::from(op.window.kernel[0]), op.matrix().depth);
    for (patch, x) in columns.enumerate() {
        // SAFETY: see above. What is written beyond a row is overwritten by the next one, or lies in the slack.
        unsafe {
            let (mut from, mut to) = (lines.add(x * step), to.add(patch * patch_len));
            for _ in 0..taps {
                if row_len <= 4 {
                    to.cast::<u32>().write_unaligned(from.cast::<u32>().read_unaligned());
                } else {
                    copy(from, to, row_len);
                }
                (from, to) = (from.add(line_len), to.add(row_len));
            }
        }
    }
}

/// Copies bytes in pieces of 32.
///
/// # Safety
/// Both sides have up to 31 bytes more.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    let mut at = 0;
    while at < len {
        // SAFETY: see above.
        unsafe { _mm256_storeu_si256(to.add(at).cast(), _mm256_loadu_si256(from.add(at).cast())) };
        at += 32;
    }
}
