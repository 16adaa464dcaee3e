//! The windows of some outputs side by side, widened for [`multiply`](super::multiply).

use super::widen;
use crate::kernels::rows::Rows;
use crate::operator::Convolution;
use crate::packing::GROUP;
use crate::slices::{not_unrolled, of_any_len};
use core::arch::naked_asm;
use core::ptr::NonNull;

/// How a window meets the columns of the input: bytes of padding, where the first byte inside lies in its row, how many there
/// are, bytes of padding.
#[derive(Clone, Copy, Default)]
struct Clip {
    before: usize,
    from: usize,
    inside: usize,
    after: usize,
}

impl Clip {
    #[inline(never)]
    fn new(op: &Convolution<'_>, x: usize) -> Self {
        let [width, channels] = [op.input.shape.width, op.input.shape.channels].map(usize::from);
        let (left, taps) = op.window.clip(1, x, width);
        let after = usize::from(op.window.kernel[1]).wrapping_sub(taps.end);
        Self {
            before: taps.start * channels,
            from: left * channels,
            inside: taps.len() * channels,
            after: after * channels,
        }
    }
}

/// Where patches go.
struct Target {
    patches: usize,
    /// Bytes of a patch.
    depth: usize,
    zero_point: i8,
    wide: *mut u32,
    /// Where they are put together as they are, if [`must_stage`].
    stage: Option<NonNull<i8>>,
}

/// Widens the patches of `patches` outputs, at most four, of row `y` from column `x` on. `stage` has room for them as they are,
/// if [`must_stage`]. Patches are as long as the matrix says; what they have beyond their windows is any.
///
/// # Safety
/// There is room, one group of a patch at least, and the pointers are aligned to 4.
#[inline(never)]
pub(super) unsafe fn gather(
    op: &Convolution<'_>,
    input: Rows<'_>,
    [y, x]: [usize; 2],
    patches: usize,
    wide: *mut u32,
    stage: *mut i8,
) {
    let (top, taps) = op.window.clip(0, y, op.input.shape.height.into());
    let depth = op.matrix().depth;
    let row_len = usize::from(op.window.kernel[1]) * usize::from(op.input.shape.channels);
    let stage = if must_stage(op) { NonNull::new(stage) } else { None };
    let target = Target { patches, depth, zero_point: op.input.zero_point, wide, stage };
    let clip = |patch| Clip::new(op, x + patch);
    let clips = [clip(0), clip(1), clip(2), clip(3)];
    let clips = of_any_len(&clips).get(..patches).unwrap_or_default();
    let outside = Clip { before: row_len, ..Clip::default() };
    for tap in 0..usize::from(op.window.kernel[0]) {
        let row = if taps.contains(&tap) { input.row(top + tap - taps.start) } else { &[] };
        let whole = row.len() == op.input.row_len();
        for (patch, clip) in clips.iter().enumerate() {
            let clip = if whole { clip } else { &outside };
            // SAFETY: the row has what the clip says; there is room for the patches.
            unsafe { target.put(patch, tap * row_len, clip, row.as_ptr().add(clip.from)) };
        }
    }
    if let Some(stage) = stage {
        // SAFETY: the patches are there, and room for their pairs.
        unsafe { widen::widen(patches, stage.as_ptr(), depth, wide) };
    }
}

/// Whether the rows of a window are no whole groups: patches are put together before they are widened.
pub(super) const fn must_stage(op: &Convolution<'_>) -> bool {
    !(op.input.shape.channels as usize).is_multiple_of(GROUP)
}

impl Target {
    /// A row of a window of a patch, `at` bytes from its begin.
    ///
    /// # Safety
    /// There is what the clip says, and room for it.
    #[inline(never)]
    unsafe fn put(&self, patch: usize, at: usize, clip: &Clip, from: *const i8) {
        // SAFETY: see above.
        unsafe {
            match self.stage {
                Some(stage) => self.stage(clip, from, stage.as_ptr().add(patch * self.depth + at)),
                None => self.widen(clip, from, self.wide.add(at / GROUP * 2 * self.patches + patch)),
            }
        }
    }

    /// A row of a window as it is.
    ///
    /// # Safety
    /// There is what the clip says, and room for it.
    unsafe fn stage(&self, clip: &Clip, from: *const i8, to: *mut i8) {
        // SAFETY: see above.
        unsafe {
            fill(to, clip.before, self.zero_point);
            let end = copy(from, to.add(clip.before), clip.inside);
            fill(end, clip.after, self.zero_point);
        }
    }

    /// A row of a window as pairs.
    ///
    /// # Safety
    /// There is what the clip says, whole groups, and room for their pairs, aligned to 4.
    unsafe fn widen(&self, clip: &Clip, from: *const i8, to: *mut u32) {
        let [before, inside, after] = [clip.before, clip.inside, clip.after].map(|bytes| bytes / GROUP);
        // SAFETY: see above.
        unsafe {
            if before | after == 0 {
                return widen::widen_one(self.patches, from, inside, to);
            }
            let to = self.pad(before, to);
            if inside > 0 {
                widen::widen_one(self.patches, from, inside, to);
            }
            self.pad(after, to.add(inside * 2 * self.patches));
        }
    }

    /// Groups of padding; where the next group belongs.
    ///
    /// # Safety
    /// There is room for them, aligned to 4.
    #[inline(always)]
    unsafe fn pad(&self, groups: usize, mut to: *mut u32) -> *mut u32 {
        let half = i32::from(self.zero_point) as u32 & 0xffff;
        for _ in 0..2 * groups {
            not_unrolled();
            // SAFETY: see above.
            unsafe { to.write(half << 16 | half) };
            to = to.wrapping_add(self.patches);
        }
        to
    }
}

/// Bytes of padding, few of them.
///
/// # Safety
/// There is room for them.
#[inline(always)]
unsafe fn fill(to: *mut i8, len: usize, zero_point: i8) {
    for byte in 0..len {
        not_unrolled();
        // SAFETY: see above.
        unsafe { to.add(byte).write(zero_point) };
    }
}

/// Copies bytes, few of them; where they end.
///
/// # Safety
/// They are there, and room for them elsewhere.
#[unsafe(naked)]
unsafe extern "C" fn copy(from: *const i8, to: *mut i8, len: usize) -> *mut i8 {
    naked_asm!(
        env!("EDGE8_DSP"),
        "subs r2, r2, #4",
        "bcc 3f",
        "2:",
        "ldr r3, [r0], #4",
        "subs r2, r2, #4",
        "str r3, [r1], #4",
        "bcs 2b",
        // The two lowest bits still are those of the length.
        "3:",
        "lsls r3, r2, #31",
        "itt cs",
        "ldrhcs r3, [r0], #2",
        "strhcs r3, [r1], #2",
        "itt mi",
        "ldrbmi r3, [r0]",
        "strbmi r3, [r1], #1",
        "mov r0, r1",
        "bx lr",
    )
}
