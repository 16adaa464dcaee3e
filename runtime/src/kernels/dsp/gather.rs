//! The windows of some outputs side by side, widened for [`multiply`](super::multiply).

use super::widen;
use crate::kernels::Rows;
use crate::operator::Convolution;
use crate::packing::GROUP;
use crate::slices::small;
use core::arch::naked_asm;

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

    /// Where no row is: padding only.
    const fn outside(self) -> Self {
        Self { before: self.before + self.inside + self.after, from: 0, inside: 0, after: 0 }
    }
}

/// Widens the patches of `patches` outputs, at most four, of row `y` from column `x` on. `stage` has room for them as they are,
/// if [`must_stage`]. Patches are as long as the matrix says; what they have beyond their windows is any.
///
/// # Safety
/// There is room, one group of a patch at least, and the pointers are aligned to 4.
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
    let tap_len = usize::from(op.window.kernel[1]) * usize::from(op.input.shape.channels);
    let (staged, zero_point) = (must_stage(op), op.input.zero_point);
    let mut clips = [Clip::default(); 4];
    for (patch, clip) in clips.iter_mut().take(patches).enumerate() {
        small();
        *clip = Clip::new(op, x + patch);
    }
    for tap in 0..usize::from(op.window.kernel[0]) {
        let row = if taps.contains(&tap) { input.row(top + tap - taps.start) } else { &[] };
        small();
        let at = tap * tap_len / GROUP * 2 * patches;
        for (patch, clip) in clips.iter().take(patches).enumerate() {
            small();
            let clip = if clip.from + clip.inside <= row.len() { *clip } else { clip.outside() };
            // SAFETY: the row has what the clip says; there is room for the tap's values in the stage, or for their pairs.
            unsafe {
                let from = row.as_ptr().add(clip.from);
                if staged {
                    stage_tap(clip, from, zero_point, stage.add(patch * depth + tap * tap_len));
                } else {
                    widen_tap(patches, clip, from, zero_point, wide.add(at + patch));
                }
            }
        }
    }
    if staged {
        // SAFETY: the patches are there, and room for their pairs.
        unsafe { widen::widen(patches, stage, depth, wide) };
    }
}

/// Whether the rows of a window are no whole groups: patches are put together before they are widened.
pub(super) const fn must_stage(op: &Convolution<'_>) -> bool {
    !(op.input.shape.channels as usize).is_multiple_of(GROUP)
}

/// A row of a window as it is.
///
/// # Safety
/// There is what the clip says, and room for it.
#[inline(never)]
unsafe fn stage_tap(clip: Clip, from: *const i8, zero_point: i8, to: *mut i8) {
    // SAFETY: see above.
    unsafe {
        if clip.before > 0 {
            fill(to, clip.before, zero_point);
        }
        let end = copy(from, to.add(clip.before), clip.inside);
        if clip.after > 0 {
            fill(end, clip.after, zero_point);
        }
    }
}

/// Bytes of padding, few of them.
///
/// # Safety
/// There is room for them.
#[inline(never)]
unsafe fn fill(to: *mut i8, len: usize, zero_point: i8) {
    for byte in 0..len {
        small();
        // SAFETY: see above.
        unsafe { to.add(byte).write(zero_point) };
    }
}

/// A row of a window as pairs.
///
/// # Safety
/// There is what the clip says, whole groups, and room for their pairs, aligned to 4.
#[inline(never)]
unsafe fn widen_tap(patches: usize, clip: Clip, from: *const i8, zero_point: i8, to: *mut u32) {
    let half = i32::from(zero_point) as u32 & 0xffff;
    let pair = half << 16 | half;
    let [before, inside, after] = [clip.before, clip.inside, clip.after].map(|bytes| bytes / GROUP);
    // SAFETY: see above.
    unsafe {
        let to = pad(patches, pair, before, to);
        if inside > 0 {
            widen::widen_one(patches, from, inside, to);
        }
        pad(patches, pair, after, to.add(inside * 2 * patches));
    }
}

/// Groups of padding; where the next group belongs.
///
/// # Safety
/// There is room for them, aligned to 4.
#[inline(never)]
unsafe fn pad(patches: usize, pair: u32, groups: usize, mut to: *mut u32) -> *mut u32 {
    for _ in 0..2 * groups {
        small();
        // SAFETY: see above.
        unsafe { to.write(pair) };
        to = to.wrapping_add(patches);
    }
    to
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
