//! The patches of a row of a convolution, cut from padded rows, for the products of the kernel sets with vectors.

use crate::kernels::Rows;
use crate::operator::Convolution;
use core::mem::MaybeUninit;
use core::ops::Range;

/// Bytes of patches that are cut at a time: a part of the first cache that leaves room for weights.
pub const CHUNK: usize = 8192;

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

/// Whether the padded rows and a patch fit the memory that there is for them.
pub fn fit(op: &Convolution<'_>) -> bool {
    line_len(op).saturating_mul(op.window.kernel[0].into()) <= LINES && op.matrix().depth <= CHUNK
}

/// Calls `product` with some patches, each as long as a row of the matrix, and the outputs that belong to them, until row
/// `y` is done. `flip` is what every value is combined with by exclusive or. The patches [`fit`].
pub fn each_chunk(
    op: &Convolution<'_>,
    input: Rows<'_>,
    y: usize,
    output: &mut [i8],
    flip: u8,
    product: impl Fn(&[u8], &mut [i8]),
) {
    let mut lines = [MaybeUninit::<u8>::uninit(); LINES];
    let mut patches = [MaybeUninit::<u8>::uninit(); CHUNK + SLACK];
    let line_len = line_len(op);
    let (top, taps) = op.window.clip(0, y, op.input.shape.height.into());
    for (tap, line) in lines.chunks_exact_mut(line_len).take(op.window.kernel[0].into()).enumerate() {
        let row = if taps.contains(&tap) { input.row(top + tap - taps.start) } else { &[] };
        pad(op, row, line, flip);
    }
    let (depth, outputs) = (op.matrix().depth.max(1), usize::from(op.output.shape.channels).max(1));
    let many = CHUNK / depth;
    // What a patch has beyond its window meets weights of zero, but must be there.
    let used = many.min(usize::from(op.output.shape.width)) * depth;
    patches.iter_mut().take(used).for_each(|byte| *byte = MaybeUninit::new(0));
    for (index, output) in output.chunks_mut(many * outputs).enumerate() {
        let count = output.len() / outputs;
        let columns = index * many..index * many + count;
        // SAFETY: the lines are as long as the windows of this row reach, and the chunk has room for the patches; all of
        // it has been written.
        let patches = unsafe {
            cut(op, lines.as_ptr().cast(), line_len, columns, patches.as_mut_ptr().cast());
            core::slice::from_raw_parts(patches.as_ptr().cast(), count * depth)
        };
        product(patches, output);
    }
}

/// Fills a line with a row of the input between zero points.
fn pad(op: &Convolution<'_>, row: &[i8], line: &mut [MaybeUninit<u8>], flip: u8) {
    let zero_point = MaybeUninit::new(op.input.zero_point as u8 ^ flip);
    let left = usize::from(op.window.padding[1]) * usize::from(op.input.shape.channels);
    let (before, rest) = line.split_at_mut(left.min(line.len()));
    let (inside, after) = rest.split_at_mut(row.len().min(rest.len()));
    before.fill(zero_point);
    after.fill(zero_point);
    for (to, &from) in inside.iter_mut().zip(row) {
        *to = MaybeUninit::new(from as u8 ^ flip);
    }
}

/// Cuts the patches of some columns of the output from the lines.
///
/// # Safety
/// The lines hold the windows of these columns and [`SLACK`] more; `to` has room for their patches and as much more.
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

/// Copies bytes in pieces of 32, which for so few is faster than to ask how many there are.
///
/// # Safety
/// Both sides have up to 31 bytes more.
#[inline]
unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    let mut at = 0;
    while at < len {
        // SAFETY: see above.
        unsafe {
            to.add(at).cast::<[u8; 32]>().write_unaligned(from.add(at).cast::<[u8; 32]>().read_unaligned())
        };
        at += 32;
    }
}
