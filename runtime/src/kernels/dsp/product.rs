//! A packed matrix times patches.

use super::multiply::{self, Outputs};
use super::{clamp, widen};
use crate::operator::Matrix;
use crate::packing::{BLOCK, GROUP, padded};

/// Bytes of the words that a group of a patch is widened to.
pub(super) const WIDE_GROUP: usize = 2 * GROUP;

/// The words of the scratch bytes.
pub(super) fn words(scratch: &mut [i8]) -> &mut [u32] {
    // SAFETY: any bytes are words.
    unsafe { scratch.align_to_mut::<u32>().1 }
}

/// Words of a widened patch.
pub(super) const fn wide_len(depth: usize) -> usize {
    depth / GROUP * (WIDE_GROUP / size_of::<u32>())
}

/// See [`Kernels::product`](crate::kernels::Kernels::product), of a matrix that [fits](crate::kernels::shapes::is_matrix) and
/// patches of which one fits into the words.
pub(super) fn product(op: &Matrix<'_>, input: &[i8], output: &mut [i8], wide: &mut [u32]) {
    let patches = (input.len() / op.depth.max(1)).min(output.len() / op.outputs().max(1));
    let mut at = 0;
    at = blocks::<4>(op, input, output, wide, at, patches);
    at = blocks::<2>(op, input, output, wide, at, patches);
    blocks::<1>(op, input, output, wide, at, patches);
    clamp::clamp(op.activation, output);
}

/// As many of the patches from `at` on as make whole blocks, if there is room for one; the first patch that is left.
fn blocks<const PATCHES: usize>(
    op: &Matrix<'_>,
    input: &[i8],
    output: &mut [i8],
    wide: &mut [u32],
    mut at: usize,
    patches: usize,
) -> usize {
    if wide.len() < PATCHES.wrapping_mul(wide_len(op.depth)) {
        return at;
    }
    while patches - at >= PATCHES {
        // SAFETY: the input has so many patches, the output their outputs, and the words have room for the block.
        unsafe {
            let from = input.as_ptr().add(at * op.depth);
            widen::widen::<PATCHES>(from, op.depth, op.depth / GROUP, wide.as_mut_ptr());
            multiply_widened::<PATCHES>(op, wide.as_ptr(), output.as_mut_ptr().add(at * op.outputs()));
        }
        at += PATCHES;
    }
    at
}

/// All outputs of widened patches.
///
/// # Safety
/// The matrix [fits](crate::kernels::shapes::is_matrix), the patches are as long as its rows, widened and aligned to 4, and `to`
/// has room for their outputs.
pub(super) unsafe fn multiply_widened<const PATCHES: usize>(
    op: &Matrix<'_>,
    patches: *const u32,
    to: *mut i8,
) {
    let groups = op.depth / GROUP;
    let outputs = op.outputs();
    let mut args = Outputs {
        mantissas: op.channels.mantissa.as_ptr(),
        shifts: op.channels.shift.as_ptr(),
        offset: (2 * i32::from(op.zero_point) + 1) << 23,
        to,
        stride: outputs,
        rewind: 0,
        patches,
        loops: 0,
        enter: 0,
        biases: op.channels.bias.as_ptr(),
        end: 0,
        weights: op.weights.as_ptr(),
        first: 0,
        step: 0,
    };
    // Several outputs at once, where all their weights can be loaded at once.
    let many = match PATCHES {
        1 | 2 if op.weights.as_ptr().cast::<u32>().is_aligned() => 4 / PATCHES,
        _ => 1,
    };
    // SAFETY: the matrix has the weights and constants of all outputs; the rest is the caller's word.
    unsafe {
        if PATCHES * many >= 4 && outputs >= BLOCK {
            args.end = outputs / BLOCK * BLOCK;
            args.walk(groups, many, BLOCK * GROUP);
            run::<PATCHES, { BLOCK * GROUP }, 0>(&args, many);
        }
        while args.end < outputs {
            let (begin, last) = (args.end, outputs.min(args.end + BLOCK));
            for many in [many, 1] {
                (args.first, args.end) = (args.end, last - (last - begin) % many);
                if args.first < args.end {
                    args.walk(groups, many, padded(last - begin) * GROUP);
                    args.weights = op.weights.as_ptr().add(begin * op.depth + (args.first - begin) * GROUP);
                    tail::<PATCHES>(&args, many);
                }
            }
        }
    }
}

/// Outputs of one block.
///
/// # Safety
/// As of the loops.
unsafe fn tail<const PATCHES: usize>(args: &Outputs, many: usize) {
    // SAFETY: see above.
    unsafe {
        match args.step {
            16 => run::<PATCHES, 16, 1>(args, many),
            32 => run::<PATCHES, 32, 1>(args, many),
            48 => run::<PATCHES, 48, 1>(args, many),
            _ => run::<PATCHES, 64, 1>(args, many),
        }
    }
}

/// The loop for so many patches and outputs at once.
///
/// # Safety
/// As of the loops.
#[inline(always)]
unsafe fn run<const PATCHES: usize, const STEP: usize, const TAIL: usize>(args: &Outputs, many: usize) {
    // SAFETY: see above.
    unsafe {
        match (PATCHES, many) {
            (4, _) => multiply::four::<STEP, TAIL>(args),
            (2, 2) => multiply::two_by_two::<STEP, TAIL>(args),
            (2, _) => multiply::two(args),
            (_, 4) => multiply::one_by_four::<STEP, TAIL>(args),
            _ => multiply::one(args),
        }
    }
}
