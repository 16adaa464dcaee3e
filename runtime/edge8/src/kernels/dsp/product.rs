//! A packed matrix times patches.

use super::multiply::{self, Outputs};
use super::{clamp, widen};
use crate::operator::Matrix;
use crate::packing::{BLOCK, GROUP, padded};
use crate::slices::{not_unrolled, of_any_len};

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

/// Calls `block` with the numbers of patches that are multiplied together: as many as there is room for and are left.
#[inline(always)]
pub(super) fn blocks(mut block: impl FnMut(usize)) {
    of_any_len(&[4, 2, 1]).iter().for_each(|&count| block(count));
}

/// See [`Kernels::product`](crate::kernels::Kernels::product), of a matrix that [fits](crate::kernels::shapes::is_matrix) and
/// patches of which one fits into the words.
pub(super) fn product(op: &Matrix<'_>, input: &[i8], output: &mut [i8], wide: &mut [u32]) {
    let (depth, outputs) = (op.depth, op.outputs());
    let patches = (input.len() / depth.max(1)).min(output.len() / outputs.max(1));
    let mut at = 0;
    blocks(|count| {
        if wide.len() < count.wrapping_mul(wide_len(depth)) {
            return;
        }
        while patches - at >= count {
            // SAFETY: the input has so many patches, the output their outputs, and the words have room for the block.
            unsafe {
                widen::widen(count, input.as_ptr().add(at * depth), depth, wide.as_mut_ptr());
                multiply_widened(op, count, wide.as_ptr(), output.as_mut_ptr().add(at * outputs));
            }
            at += count;
        }
    });
    clamp::clamp(op.activation, output);
}

/// All outputs of one, two or four widened patches.
///
/// # Safety
/// The matrix [fits](crate::kernels::shapes::is_matrix), the patches are as long as its rows, widened and aligned to 4, and `to`
/// has room for their outputs.
pub(super) unsafe fn multiply_widened(op: &Matrix<'_>, count: usize, patches: *const u32, to: *mut i8) {
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
    let many = match count {
        1 | 2 if op.weights.as_ptr().cast::<u32>().is_aligned() => 4 / count,
        _ => 1,
    };
    // SAFETY: the matrix has the weights and constants of all outputs; the rest is the caller's word.
    unsafe {
        if count * many >= 4 && outputs >= BLOCK {
            args.end = outputs / BLOCK * BLOCK;
            args.walk(groups, many, multiply::WHOLE);
            match count {
                4 => multiply::four::<{ multiply::WHOLE }>(&args),
                2 => multiply::two_by_two::<{ multiply::WHOLE }>(&args),
                _ => multiply::one_by_four(&args),
            }
        }
        while args.end < outputs {
            let (begin, last) = (args.end, outputs.min(args.end + BLOCK));
            let mut many = many;
            loop {
                not_unrolled();
                (args.first, args.end) = (args.end, last - (last - begin) % many);
                if args.first < args.end {
                    args.walk(groups, many, padded(last - begin) * GROUP);
                    args.weights = op.weights.as_ptr().add(begin * op.depth + (args.first - begin) * GROUP);
                    part(&args, count, many);
                }
                if args.end == last {
                    break;
                }
                many = 1;
            }
        }
    }
}

/// Outputs of one block, `many` at once.
///
/// # Safety
/// As of the loops.
unsafe fn part(args: &Outputs, count: usize, many: usize) {
    // SAFETY: see above.
    unsafe {
        match (count, many) {
            // What is left of a network's outputs mostly is half a block.
            (4, _) if args.step == multiply::HALF => multiply::four::<{ multiply::HALF }>(args),
            (4, _) => multiply::four::<{ multiply::ANY }>(args),
            (2, 2) => multiply::two_by_two::<{ multiply::ANY }>(args),
            (2, _) => multiply::two(args),
            (_, 4) => multiply::one_by_four(args),
            _ => multiply::one(args),
        }
    }
}
