//! A packed matrix times patches.

use super::rescale::{Channels, Finish};
use super::store;
use crate::operator::Matrix;
use crate::packing::BLOCK;
use core::arch::aarch64::*;

/// Outputs of a register of sums.
const QUAD: usize = 4;

/// How weights and inputs are multiplied.
pub(super) trait Multiply {
    /// Patches multiplied at once with a block of 9 to 16 outputs, and with one of fewer: as many as registers hold sums of.
    const PATCHES: [usize; 2];

    /// `bias + sum of w * x` of `P` patches side by side and a block of `4 Q` outputs.
    ///
    /// # Safety
    /// The patches have `depth` inputs each, a multiple of 4 and at least 4, the block `4 Q * depth` weights. The processor
    /// has what the set is for.
    unsafe fn sums<const P: usize, const Q: usize>(
        weights: *const i8,
        patches: *const i8,
        depth: usize,
        bias: &[int32x4_t; Q],
    ) -> [[int32x4_t; Q]; P];
}

/// See [`Kernels::product`](crate::kernels::Kernels::product), of a matrix that [is a product](crate::kernels::shapes::is_product).
///
/// # Safety
/// The processor has what `M` is for.
pub(super) unsafe fn product<M: Multiply>(op: &Matrix<'_>, input: &[i8], output: &mut [i8]) {
    let outputs = op.outputs().max(1);
    let patches = (input.len() / op.depth.max(1)).min(output.len() / outputs);
    // SAFETY: the processor has NEON.
    let finish = unsafe { Finish::new(op.zero_point, op.activation) };
    for first in (0..op.outputs()).step_by(BLOCK) {
        let block = Block { op, finish, input: input.as_ptr(), first, patches };
        let to = output.as_mut_ptr();
        // SAFETY: the lengths have been compared; the block begins at an output that exists.
        unsafe {
            match (op.outputs() - first).div_ceil(QUAD) {
                1 => block.run::<M, 1>(to.add(first)),
                2 => block.run::<M, 2>(to.add(first)),
                3 => block.run::<M, 3>(to.add(first)),
                _ => block.run::<M, 4>(to.add(first)),
            }
        }
    }
}

/// The patches and a block of outputs.
struct Block<'a, 'b> {
    op: &'a Matrix<'b>,
    finish: Finish,
    input: *const i8,
    first: usize,
    patches: usize,
}

impl Block<'_, '_> {
    /// All patches times a block of `4 Q` outputs.
    ///
    /// # Safety
    /// The matrix is one for this kernel, `input` has the patches, and the outputs lie from `to` on.
    #[inline(never)]
    unsafe fn run<M: Multiply, const Q: usize>(&self, mut to: *mut i8) {
        let (depth, outputs) = (self.op.depth, self.op.outputs());
        let (mut input, mut left) = (self.input, self.patches);
        // SAFETY: the blocks before this one have 16 outputs each; a tile is computed where there are as many patches.
        unsafe {
            let tile = Tile {
                channels: Channels::<Q>::load(&self.op.channels, self.first),
                finish: self.finish,
                weights: self.op.weights.as_ptr().add(self.first * depth),
                depth,
                outputs,
                count: (outputs - self.first).min(QUAD * Q),
            };
            let most = M::PATCHES[usize::from(Q <= 2)];
            while most >= 8 && left >= 8 {
                tile.compute::<M, 8>(input, to);
                (input, to, left) = (input.add(8 * depth), to.wrapping_add(8 * outputs), left - 8);
            }
            while most >= 4 && left >= 4 {
                tile.compute::<M, 4>(input, to);
                (input, to, left) = (input.add(4 * depth), to.wrapping_add(4 * outputs), left - 4);
            }
            while left >= 2 {
                tile.compute::<M, 2>(input, to);
                (input, to, left) = (input.add(2 * depth), to.wrapping_add(2 * outputs), left - 2);
            }
            if left == 1 {
                tile.compute::<M, 1>(input, to);
            }
        }
    }
}

/// What all tiles of a block share.
struct Tile<const Q: usize> {
    channels: Channels<Q>,
    finish: Finish,
    weights: *const i8,
    depth: usize,
    outputs: usize,
    count: usize,
}

impl<const Q: usize> Tile<Q> {
    /// `P` patches times the block.
    ///
    /// # Safety
    /// The patches lie there, and their outputs from `to` on.
    #[inline(always)]
    unsafe fn compute<M: Multiply, const P: usize>(&self, input: *const i8, to: *mut i8) {
        let Self { channels, finish, .. } = self;
        // SAFETY: see above.
        unsafe {
            let sums = M::sums::<P, Q>(self.weights, input, self.depth, &channels.bias);
            // Loops over registers count: closures and iterators would send them through memory.
            let mut values = [vdupq_n_s8(0); P];
            let at_once = [4, 2, 1, 1][Q - 1];
            for p in (0..P).step_by(at_once) {
                let value = |next: usize, quad: usize| {
                    channels.rescale[quad].apply(sums[(p + next).min(P - 1)][quad])
                };
                let (low, high) = match Q {
                    1 => (finish.eight(value(0, 0), value(1, 0)), finish.eight(value(2, 0), value(3, 0))),
                    2 => (finish.eight(value(0, 0), value(0, 1)), finish.eight(value(1, 0), value(1, 1))),
                    3 => (finish.eight(value(0, 0), value(0, 1)), finish.eight(value(0, 2), value(0, 2))),
                    _ => (finish.eight(value(0, 0), value(0, 1)), finish.eight(value(0, 2), value(0, 3))),
                };
                values[p] = finish.sixteen(low, high);
            }
            finish.clamp(&mut values);
            for p in (0..P).step_by(at_once) {
                for next in 0..at_once.min(P - p) {
                    let to = to.add((p + next) * self.outputs);
                    if self.count == QUAD * Q {
                        store::<Q>(to, values[p], next);
                    } else {
                        let mut bytes = [0i8; 16];
                        vst1q_s8(bytes.as_mut_ptr(), values[p]);
                        to.copy_from_nonoverlapping(bytes.as_ptr().add(QUAD * Q * next), self.count);
                    }
                }
            }
        }
    }
}
