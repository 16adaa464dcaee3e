//! A packed matrix times patches.

use super::rescale::{Channels, Finish};
use crate::kernels::patches::CHUNK;
use crate::operator::Matrix;
use crate::packing::{BLOCK, GROUP, padded};
use core::arch::wasm32::*;
use core::mem::MaybeUninit;

/// Outputs of a register of sums.
const QUAD: usize = 4;

/// See [`Kernels::product`](crate::kernels::Kernels::product); the operator [`is_product`](crate::kernels::shapes::is_product).
pub(super) fn product(op: &Matrix<'_>, input: &[i8], output: &mut [i8]) {
    let mut wide = [MaybeUninit::<i16>::uninit(); CHUNK];
    let outputs = op.outputs().max(1);
    let many = CHUNK / op.depth;
    for (input, output) in input.chunks(many * op.depth).zip(output.chunks_mut(many * outputs)) {
        for (to, &from) in wide.iter_mut().zip(input) {
            *to = MaybeUninit::new(from.into());
        }
        let patches = (input.len() / op.depth).min(output.len() / outputs);
        let tiles = Tiles { op, input: wide.as_ptr().cast(), output: output.as_mut_ptr(), patches };
        for block in (0..outputs).step_by(BLOCK) {
            let width = padded(outputs - block).min(BLOCK);
            for at in (0..width).step_by(2 * QUAD) {
                // SAFETY: `patches` of them lie in both slices, all widened, the outputs exist, and the operator fits.
                unsafe {
                    match width - at {
                        QUAD => tiles.column::<1>(block, width, at),
                        _ => tiles.column::<2>(block, width, at),
                    }
                }
            }
        }
    }
}

/// The product, cut into tiles of patches and outputs.
struct Tiles<'a, 'b> {
    op: &'a Matrix<'b>,
    /// `[patches][depth]`
    input: *const i16,
    /// `[patches][outputs]`
    output: *mut i8,
    patches: usize,
}

/// What all tiles of some outputs share.
struct Outputs<const Q: usize> {
    /// Their first weights.
    weights: *const i8,
    /// Bytes from group to group.
    step: usize,
    channels: Channels<Q>,
    finish: Finish,
    /// The first of them, and how many there are.
    first: usize,
    count: usize,
}

impl Tiles<'_, '_> {
    /// All patches times `4 Q` outputs from `at` on, of the block from output `block` on, which is `width` wide.
    ///
    /// # Safety
    /// As described, and the outputs exist.
    unsafe fn column<const Q: usize>(&self, block: usize, width: usize, at: usize) {
        let first = block + at;
        let count = (self.op.outputs() - first).min(Q * QUAD);
        // SAFETY: the blocks before this one have 16 outputs each; as many patches as there are.
        unsafe {
            let outputs = Outputs {
                weights: self.op.weights.as_ptr().add(block * self.op.depth + at * GROUP),
                step: width * GROUP,
                channels: Channels::<Q>::new(&self.op.channels, first, count),
                finish: Finish::new(self.op.zero_point, self.op.activation),
                first,
                count,
            };
            let mut patch = 0;
            while patch + 2 <= self.patches {
                self.tile::<2, Q>(&outputs, patch);
                patch += 2;
            }
            if patch < self.patches {
                self.tile::<1, Q>(&outputs, patch);
            }
        }
    }

    /// `P` patches from `patch` on times some outputs.
    ///
    /// # Safety
    /// As of [`column`](Self::column); the patches exist.
    #[inline(always)]
    unsafe fn tile<const P: usize, const Q: usize>(&self, outputs: &Outputs<Q>, patch: usize) {
        let depth = self.op.depth;
        // SAFETY: see above; outputs have `depth` weights, and a patch has as many inputs.
        unsafe {
            let sums = sums::<P, Q>(outputs, self.input.add(patch * depth), depth);
            let value = |p: usize, quad: usize| outputs.channels.rescale[quad].apply(sums[p][quad]);
            let eight = |p: usize| outputs.finish.eight(value(p, 0), value(p, Q - 1));
            let values = outputs.finish.sixteen(eight(0), eight(P - 1));
            let to = self.output.add(patch * self.op.outputs() + outputs.first);
            let halves = [i64x2_extract_lane::<0>(values), i64x2_extract_lane::<1>(values)];
            for p in 0..P {
                store(to.add(p * self.op.outputs()), halves[p], outputs.count);
            }
        }
    }
}

/// `bias + sum of w * x` of patches side by side.
///
/// # Safety
/// There are `P` with `depth` inputs each, and as many weights of each of the outputs.
#[inline(always)]
unsafe fn sums<const P: usize, const Q: usize>(
    outputs: &Outputs<Q>,
    input: *const i16,
    depth: usize,
) -> [[v128; Q]; P] {
    // Of each output two sums, of the even and the odd pairs of inputs.
    let mut halves = [[[i32x4_splat(0); 2]; Q]; P];
    let (mut weights, mut at) = (outputs.weights, input);
    // SAFETY: see above. Loops over registers count: iterators would send them through memory.
    unsafe {
        for _ in 0..depth / GROUP {
            let mut x = [i32x4_splat(0); P];
            for p in 0..P {
                x[p] = v128_load64_splat(at.add(p * depth).cast());
            }
            for quad in 0..Q {
                for half in 0..2 {
                    let w = i16x8_load_extend_i8x8(weights.add(16 * quad + 8 * half));
                    for p in 0..P {
                        halves[p][quad][half] = i32x4_add(halves[p][quad][half], i32x4_dot_i16x8(x[p], w));
                    }
                }
            }
            (weights, at) = (weights.add(outputs.step), at.add(GROUP));
        }
    }
    let mut sums = [[i32x4_splat(0); Q]; P];
    for p in 0..P {
        for quad in 0..Q {
            let [low, high] = halves[p][quad];
            let even = i32x4_shuffle::<0, 2, 4, 6>(low, high);
            let odd = i32x4_shuffle::<1, 3, 5, 7>(low, high);
            sums[p][quad] = i32x4_add(i32x4_add(even, odd), outputs.channels.bias[quad]);
        }
    }
    sums
}

/// Stores the first `count` of 8 values.
///
/// # Safety
/// There is room for them.
#[inline(always)]
unsafe fn store(to: *mut i8, values: i64, count: usize) {
    // SAFETY: see above.
    unsafe {
        match count {
            8 => to.cast::<i64>().write_unaligned(values),
            4 => to.cast::<i32>().write_unaligned(values as i32),
            _ => to.copy_from_nonoverlapping(values.to_le_bytes().as_ptr().cast(), count),
        }
    }
}
