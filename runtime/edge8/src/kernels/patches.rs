//! The patches of some rows of a convolution, for the products of the kernel sets with vectors.
//!
//! The rows of the input are copied once, between zero points: *lines*. Where the rows of a window are whole groups of
//! weights, the patches are read in the lines; elsewhere they are cut from them.

use crate::kernels::rows::Rows;
use crate::operator::Convolution;
use crate::packing::GROUP;
use core::mem::MaybeUninit;
use core::ops::Range;

/// Bytes of patches that are cut at a time: a part of the first cache that leaves room for weights.
pub const CHUNK: usize = 8192;

/// Bytes for the lines.
const LINES: usize = 8192;

/// Bytes that are written at a time where it does not matter how many they are.
const PIECE: usize = 32;

/// See [`PIECE`].
type Piece = [u8; PIECE];

/// Bytes that a copy may read or write beyond what it is for.
const SLACK: usize = 64;

/// Patches of one row of outputs, in memory: each has some rows of bytes.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "the others take patches of several rows"))]
pub struct Patches {
    /// The first byte of the first patch.
    pub start: *const u8,
    /// Number of patches.
    pub count: usize,
    /// Bytes from a patch to the next.
    pub step: usize,
    /// Rows of a patch.
    pub rows: usize,
    /// Bytes of a row of a patch, a multiple of [`GROUP`].
    pub row_len: usize,
    /// Bytes from a row of a patch to the next.
    pub row_step: usize,
}

impl Patches {
    /// Patches of one row each that lie side by side: as many as there are of `depth` bytes.
    pub fn side_by_side(bytes: &[u8], depth: usize) -> Self {
        let count = bytes.len().checked_div(depth).unwrap_or(0);
        Self { start: bytes.as_ptr(), count, step: depth, rows: 1, row_len: depth, row_step: 0 }
    }

    /// The bytes of patches of one row each that lie side by side.
    ///
    /// # Safety
    /// They are that, and still there.
    #[cfg(target_arch = "wasm32")]
    pub unsafe fn bytes<'a>(&self) -> &'a [u8] {
        // SAFETY: see above.
        unsafe { core::slice::from_raw_parts(self.start, self.count * self.step) }
    }
}

/// How the lines of a convolution lie.
struct Layout {
    /// Bytes of a line: as far as the windows of a row of outputs reach, and what a copy may read beyond it.
    line_len: usize,
    /// Lines of a window.
    taps: usize,
    /// Rows of outputs whose lines are there at a time; at least 1 of a convolution that [`fit`]s.
    rows: usize,
    /// Bytes of a row of a window.
    row_len: usize,
    /// Bytes between the windows of neighbouring outputs.
    step: usize,
}

impl Layout {
    fn new(op: &Convolution<'_>) -> Self {
        let [width, depth, taps] =
            [op.output.shape.width, op.input.shape.channels, op.window.kernel[0]].map(usize::from);
        let row_len = usize::from(op.window.kernel[1]).saturating_mul(depth);
        let step = usize::from(op.window.stride[1]).saturating_mul(depth);
        let line_len =
            width.saturating_sub(1).saturating_mul(step).saturating_add(row_len).saturating_add(SLACK);
        let more =
            (LINES / line_len).checked_sub(taps).map(|more| more / usize::from(op.window.stride[0]).max(1));
        Self { line_len, taps, rows: more.map_or(0, |more| more + 1), row_len, step }
    }
}

/// Whether the lines of a window and a patch fit the memory that there is for them.
pub fn fit(op: &Convolution<'_>) -> bool {
    Layout::new(op).rows > 0 && op.matrix().depth <= CHUNK
}

/// Calls `product` with some patches and the outputs that belong to them, until all of some rows are done.
/// The patches [`fit`]. Only if `of_rows` they may have several rows.
pub fn each_chunk(
    op: &Convolution<'_>,
    input: Rows<'_>,
    rows: Range<usize>,
    output: &mut [i8],
    of_rows: bool,
    mut product: impl FnMut(Patches, &mut [i8]),
) {
    let layout = Layout::new(op);
    let mut lines = [MaybeUninit::<u8>::uninit(); LINES + PIECE];
    let row_len = op.output.row_len().max(1);
    let many = layout.rows.max(1);
    for (index, output) in output.chunks_mut(many * row_len).enumerate() {
        let first = rows.start + index * many;
        fill(op, input, &layout, first..first + output.len() / row_len, &mut lines);
        for (row, output) in output.chunks_exact_mut(row_len).enumerate() {
            let lines = &lines[row * usize::from(op.window.stride[0]) * layout.line_len..];
            if of_rows && layout.row_len.is_multiple_of(GROUP) {
                let patches = Patches {
                    start: lines.as_ptr().cast(),
                    count: op.output.shape.width.into(),
                    step: layout.step,
                    rows: layout.taps,
                    row_len: layout.row_len,
                    row_step: layout.line_len,
                };
                product(patches, output);
            } else {
                cut_row(op, &layout, lines, output, &mut product);
            }
        }
    }
}

/// Makes the lines of some rows of outputs.
fn fill(
    op: &Convolution<'_>,
    input: Rows<'_>,
    layout: &Layout,
    rows: Range<usize>,
    lines: &mut [MaybeUninit<u8>; LINES + PIECE],
) {
    let stride = usize::from(op.window.stride[0]);
    let count = (rows.len().saturating_sub(1) * stride) + layout.taps;
    let first: *mut u8 = lines.as_mut_ptr().cast();
    // As many as there are; of a convolution that fits, all.
    for tap in 0..count.min(LINES / layout.line_len.max(1)) {
        let y = (rows.start * stride + tap).checked_sub(op.window.padding[0].into());
        let row = match y.filter(|&y| y < op.input.shape.height.into()) {
            Some(y) => input.row(y),
            None => &[],
        };
        // SAFETY: the lines lie one behind the other and are filled in order, and there are as many bytes behind the last one.
        unsafe { pad(op, row, first.add(tap * layout.line_len), layout.line_len) };
    }
}

/// Fills a line with a row of the input between zero points.
///
/// # Safety
/// The line begins at `line`, and what [`PIECE`] bytes beyond its end are there holds nothing that is still needed.
unsafe fn pad(op: &Convolution<'_>, row: &[i8], line: *mut u8, len: usize) {
    let zero_points = [op.input.zero_point as u8; PIECE];
    let left = (usize::from(op.window.padding[1]) * usize::from(op.input.shape.channels)).min(len);
    let inside = row.len().min(len - left);
    // SAFETY: see above; what is written too far to the right is overwritten, or lies beyond the end.
    unsafe {
        let mut at = 0;
        while at < left {
            line.add(at).cast::<Piece>().write_unaligned(zero_points);
            at += PIECE;
        }
        let (mut from, mut to, mut rest) = (row.as_ptr().cast::<u8>(), line.add(left), inside);
        while rest >= 2 * PIECE {
            to.cast::<[Piece; 2]>().write_unaligned(from.cast::<[Piece; 2]>().read_unaligned());
            (from, to, rest) = (again(from.add(2 * PIECE)), to.add(2 * PIECE), rest - 2 * PIECE);
        }
        if rest >= PIECE {
            to.cast::<Piece>().write_unaligned(from.cast::<Piece>().read_unaligned());
            (from, to, rest) = (from.add(PIECE), to.add(PIECE), rest - PIECE);
        }
        if rest > 0 {
            to.copy_from_nonoverlapping(from, rest);
        }
        let mut at = left + inside;
        while at < len {
            line.add(at).cast::<Piece>().write_unaligned(zero_points);
            at += PIECE;
        }
    }
}

/// Calls `product` with the patches of a row of outputs, whose lines begin with `lines`, cut out and laid side by side.
fn cut_row(
    op: &Convolution<'_>,
    layout: &Layout,
    lines: &[MaybeUninit<u8>],
    output: &mut [i8],
    product: &mut impl FnMut(Patches, &mut [i8]),
) {
    let mut patches = [MaybeUninit::<u8>::uninit(); CHUNK + SLACK];
    let (depth, outputs) = (op.matrix().depth.max(1), usize::from(op.output.shape.channels).max(1));
    let many = CHUNK / depth;
    let nine = (layout.taps, layout.row_len) == (3, 3);
    if !nine {
        // What a patch has beyond its window meets weights of zero, but must be there.
        let used = many.min(usize::from(op.output.shape.width)) * depth;
        patches.iter_mut().take(used).for_each(|byte| *byte = MaybeUninit::new(0));
    }
    for (index, output) in output.chunks_mut((many * outputs).max(1)).enumerate() {
        let count = output.len() / outputs;
        let columns = index * many..index * many + count;
        // SAFETY: the lines are as long as the windows of this row reach, and the chunk has room for the patches; all of
        // it has been written.
        let patches = unsafe {
            let (lines, to) = (lines.as_ptr().cast(), patches.as_mut_ptr().cast());
            if nine {
                cut_nine(layout, lines, columns, to)
            } else {
                cut(layout, lines, depth, columns, to)
            }
            core::slice::from_raw_parts(patches.as_ptr().cast(), count * depth)
        };
        product(Patches::side_by_side(patches, depth), output);
    }
}

/// Cuts patches of three rows of three bytes, what most networks begin with, as three words, each stored whole: a load of
/// what two stores left would wait for both.
///
/// # Safety
/// As of [`cut`].
unsafe fn cut_nine(layout: &Layout, lines: *const u8, columns: Range<usize>, to: *mut u8) {
    for (patch, x) in columns.enumerate() {
        // SAFETY: see there; a fourth byte of each row lies in the slack at most.
        unsafe {
            let row = |row: usize| {
                u32::from_le(
                    lines.add(row * layout.line_len + x * layout.step).cast::<u32>().read_unaligned(),
                )
            };
            let [first, second, third] = [row(0), row(1), row(2)];
            let words =
                [first & 0xff_ffff | second << 24, second >> 8 & 0xffff | third << 16, third >> 16 & 0xff];
            to.cast::<[u32; 3]>().add(patch).write_unaligned(words.map(u32::to_le));
        }
    }
}

/// Cuts the patches of some columns of the output from the lines, `depth` bytes from one to the next.
///
/// # Safety
/// The lines hold the windows of these columns and [`SLACK`] more; `to` has room for their patches and as much more.
unsafe fn cut(layout: &Layout, lines: *const u8, depth: usize, columns: Range<usize>, to: *mut u8) {
    let Layout { line_len, taps, row_len, step, .. } = *layout;
    for (patch, x) in columns.enumerate() {
        // SAFETY: see above. What is written beyond a row is overwritten by the next one, or lies in the slack.
        unsafe {
            let (mut from, mut to) = (lines.add(x * step), to.add(patch * depth));
            if row_len <= 16 {
                for _ in 0..taps {
                    to.cast::<[u8; 16]>().write_unaligned(from.cast::<[u8; 16]>().read_unaligned());
                    (from, to) = (from.add(line_len), to.add(row_len));
                }
                continue;
            }
            for _ in 0..taps {
                copy(from, to, row_len);
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

/// The same address, of which the compiler does not know that it is the same: it would call a function for a loop that copies.
#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
fn again(mut from: *const u8) -> *const u8 {
    // SAFETY: it does nothing.
    unsafe { core::arch::asm!("/* {0} */", inout(reg) from, options(readonly, nostack, preserves_flags)) };
    from
}

/// WebAssembly copies by an instruction.
#[cfg(target_arch = "wasm32")]
const fn again(from: *const u8) -> *const u8 {
    from
}
