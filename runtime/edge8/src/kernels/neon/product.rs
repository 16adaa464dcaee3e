//! A packed matrix times patches.

use super::rescale::{Channels, Finish, Last};
use super::store::store;
use crate::kernels::patches::Patches;
use crate::operator::{Matrix, PerChannel, Word};
use crate::packing::BLOCK;
use core::arch::aarch64::*;
use core::arch::asm;

/// Outputs of a register of sums.
const QUAD: usize = 4;

/// How the inputs of some patches lie.
#[derive(Clone, Copy)]
pub(super) struct Inputs {
    /// Bytes from a patch to the next.
    pub step: usize,
    /// Rows of a patch, at least 1.
    pub rows: usize,
    /// Bytes of a row, a multiple of 4 and at least 4.
    pub row_len: usize,
    /// Bytes from the end of a row to the next.
    pub gap: usize,
}

/// Tiles of patches, and blocks of 16 outputs each.
#[repr(C)]
pub(super) struct Tiles {
    /// The first patch, and the number of tiles: assembly reads them here.
    pub patches: *const i8,
    pub count: usize,
    /// See [`Finish`].
    pub finish: Finish,
    pub inputs: Inputs,
    /// The weights of the first block, and its constants.
    pub weights: *const i8,
    pub bias: *const Word,
    pub mantissa: *const Word,
    pub shift: *const i8,
    pub blocks: usize,
    /// Where the first patch has its outputs, and how far from there the next patch.
    pub to: *mut i8,
    pub outputs: usize,
}

/// How weights and inputs are multiplied.
pub(super) trait Multiply {
    /// Patches multiplied at once with a block of 9 to 16 outputs, and with one of fewer: as many as registers hold sums of.
    const PATCHES: [usize; 2];

    /// Patches of a tile of [`tiles`](Self::tiles).
    const TILE: usize;

    /// Tiles of patches times blocks of 16 outputs, from the inputs to what is stored.
    ///
    /// # Safety
    /// As of [`sums`](Self::sums). There is a tile and a block, and a place for the outputs.
    unsafe fn tiles(tiles: &Tiles);

    /// The biases of `4 Q` outputs, as sums begin with them.
    type Start<const Q: usize>: Copy;

    /// See [`Start`](Self::Start).
    ///
    /// # Safety
    /// The biases are there.
    unsafe fn start<const Q: usize>(channels: &Channels<Q>) -> Self::Start<Q>;

    /// `bias + sum of w * x` of `P` patches and a block of `4 Q` outputs.
    ///
    /// # Safety
    /// The patches lie as `inputs` says, and the block has weights for as many inputs. The processor has what the set is for.
    unsafe fn sums<const P: usize, const Q: usize>(
        weights: *const i8,
        patches: *const i8,
        inputs: &Inputs,
        start: &Self::Start<Q>,
    ) -> [[int32x4_t; Q]; P];
}

/// See [`Kernels::product`](crate::kernels::Kernels::product), of a matrix that
/// [is a product](crate::kernels::shapes::is_product).
///
/// # Safety
/// The patches are there and have as many values as the matrix has columns; the processor has what `M` is for.
#[inline]
pub(super) unsafe fn product<M: Multiply>(op: &Matrix<'_>, patches: Patches, output: &mut [i8]) {
    let outputs = op.outputs();
    let Patches { start, count, step, rows, row_len, row_step } = patches;
    let all = Product {
        op,
        input: start.cast(),
        inputs: Inputs { step, rows, row_len, gap: row_step.wrapping_sub(row_len) },
        patches: count.min(output.len() / outputs.max(1)),
        output: output.as_mut_ptr(),
    };
    let whole = outputs - outputs % BLOCK;
    // SAFETY: the lengths have been compared; the ranges are of outputs that exist.
    unsafe {
        if whole > 0 {
            all.whole::<M>(whole);
        }
        if whole < outputs {
            all.last::<M>(whole, outputs - whole);
        }
    }
}

/// The patches, the matrix and the outputs.
struct Product<'a, 'b> {
    op: &'a Matrix<'b>,
    input: *const i8,
    inputs: Inputs,
    patches: usize,
    output: *mut i8,
}

impl Product<'_, '_> {
    /// All patches times the last block, of fewer than 16 outputs.
    ///
    /// # Safety
    /// It is that.
    unsafe fn last<M: Multiply>(&self, first: usize, count: usize) {
        let channels = &self.op.channels;
        // SAFETY: as there; where the last quad is not full, what it lacks is in a copy.
        unsafe {
            match count {
                4 => self.block::<M, 1, true>(channels, first, count),
                8 => self.block::<M, 2, true>(channels, first, count),
                12 => self.block::<M, 3, true>(channels, first, count),
                _ => {
                    let last = Last::new(channels, first);
                    let channels = &last.channels();
                    match count.div_ceil(QUAD) {
                        1 => self.block::<M, 1, false>(channels, first, count),
                        2 => self.block::<M, 2, false>(channels, first, count),
                        3 => self.block::<M, 3, false>(channels, first, count),
                        _ => self.block::<M, 4, false>(channels, first, count),
                    }
                }
            }
        }
    }

    /// All patches times the first `count` outputs, blocks of 16.
    ///
    /// # Safety
    /// As of [`block`](Self::block).
    #[inline(never)]
    unsafe fn whole<M: Multiply>(&self, count: usize) {
        let Matrix { depth, zero_point, activation, channels, weights, .. } = *self.op;
        let Self { input, inputs, patches, output, .. } = *self;
        let outputs = self.op.outputs();
        // SAFETY: see there; the patches that fill no tile are the last ones.
        unsafe {
            let finish = Finish::new(zero_point, activation);
            let tiles = patches / M::TILE;
            if tiles > 0 {
                M::tiles(&Tiles {
                    patches: input,
                    count: tiles,
                    finish,
                    inputs,
                    weights: weights.as_ptr(),
                    bias: channels.bias.as_ptr(),
                    mantissa: channels.mantissa.as_ptr(),
                    shift: channels.shift.as_ptr(),
                    blocks: count / BLOCK,
                    to: output,
                    outputs,
                });
            }
            for patch in tiles * M::TILE..patches {
                let (input, output) = (input.wrapping_add(patch * inputs.step), output.add(patch * outputs));
                for first in (0..count).step_by(BLOCK) {
                    let channels = Channels::<4>::new(&channels, first);
                    let start = M::start(&channels);
                    let weights = weights.as_ptr().add(first * depth);
                    let tile = Tile::<4, true> { channels, finish, weights, inputs, outputs, count };
                    tile.compute::<M, 1>(&start, input, output.add(first));
                }
            }
        }
    }

    /// All patches times the last block, of `4 Q` outputs from `first` on. `WHOLE`: there are as many; otherwise `count`,
    /// and `channels` has none but theirs.
    ///
    /// # Safety
    /// The matrix is one for this kernel, and input and output have the patches.
    #[inline(never)]
    unsafe fn block<M: Multiply, const Q: usize, const WHOLE: bool>(
        &self,
        channels: &PerChannel<'_>,
        first: usize,
        count: usize,
    ) {
        let Matrix { depth, zero_point, activation, .. } = *self.op;
        let (weights, outputs) = (self.op.weights.as_ptr(), self.op.outputs());
        let Self { mut input, inputs, patches: mut left, output, .. } = *self;
        // SAFETY: the blocks before this one have 16 outputs each; a tile is computed where there are as many patches.
        unsafe {
            let finish = Finish::new(zero_point, activation);
            let channels = Channels::<Q>::new(channels, if WHOLE { first } else { 0 });
            // By itself, for what it is part of cannot be kept in registers.
            let start = M::start(&channels);
            let weights = weights.add(first * depth);
            let tile = Tile::<Q, WHOLE> { channels, finish, weights, inputs, outputs, count };
            let mut to = output.add(first);
            let step = inputs.step;
            // Where the block is not whole, one patch after the other will do.
            let most = if WHOLE { M::PATCHES[usize::from(Q <= 2)] } else { 1 };
            while most >= 8 && left >= 8 {
                tile.compute::<M, 8>(&start, input, to);
                (input, to, left) = (input.wrapping_add(8 * step), to.wrapping_add(8 * outputs), left - 8);
            }
            while most >= 4 && left >= 4 {
                tile.compute::<M, 4>(&start, input, to);
                (input, to, left) = (input.wrapping_add(4 * step), to.wrapping_add(4 * outputs), left - 4);
            }
            while most >= 2 && left >= 2 {
                tile.compute::<M, 2>(&start, input, to);
                (input, to, left) = (input.wrapping_add(2 * step), to.wrapping_add(2 * outputs), left - 2);
            }
            while left >= 1 {
                tile.compute::<M, 1>(&start, input, to);
                (input, to, left) = (input.wrapping_add(step), to.wrapping_add(outputs), left - 1);
            }
        }
    }
}

/// What all tiles of a block share.
struct Tile<const Q: usize, const WHOLE: bool> {
    channels: Channels<Q>,
    finish: Finish,
    weights: *const i8,
    inputs: Inputs,
    outputs: usize,
    count: usize,
}

impl<const Q: usize, const WHOLE: bool> Tile<Q, WHOLE> {
    /// `P` patches times the block.
    ///
    /// # Safety
    /// The patches lie there, and their outputs from `to` on.
    #[inline(always)]
    unsafe fn compute<M: Multiply, const P: usize>(
        &self,
        start: &M::Start<Q>,
        input: *const i8,
        to: *mut i8,
    ) {
        let Self { channels, finish, .. } = self;
        // SAFETY: see above.
        unsafe {
            // Loops over registers count: closures and iterators would send them through memory.
            let mut sums = M::sums::<P, Q>(self.weights, input, &self.inputs, start);
            for quad in 0..Q {
                let rescale = channels.rescale(quad);
                for p in 0..P {
                    sums[p][quad] = rescale.apply(sums[p][quad]);
                }
            }
            let mut values = [vdupq_n_s8(0); P];
            let at_once = [4, 2, 1, 1][Q - 1];
            for p in (0..P).step_by(at_once) {
                let sum = |next: usize, quad: usize| sums[(p + next).min(P - 1)][quad];
                let (low, high) = match Q {
                    1 => (finish.eight(sum(0, 0), sum(1, 0)), finish.eight(sum(2, 0), sum(3, 0))),
                    2 => (finish.eight(sum(0, 0), sum(0, 1)), finish.eight(sum(1, 0), sum(1, 1))),
                    3 => (finish.eight(sum(0, 0), sum(0, 1)), finish.eight(sum(0, 2), sum(0, 2))),
                    _ => (finish.eight(sum(0, 0), sum(0, 1)), finish.eight(sum(0, 2), sum(0, 3))),
                };
                values[p] = finish.sixteen(low, high);
            }
            finish.clamp(&mut values);
            for p in (0..P).step_by(at_once) {
                for next in 0..at_once.min(P - p) {
                    let to = to.add((p + next) * self.outputs);
                    if WHOLE {
                        store::<Q>(to, values[p], next);
                    } else {
                        let mut bytes = [0i8; 16];
                        vst1q_s8(bytes.as_mut_ptr(), values[p]);
                        to.copy_from_nonoverlapping(bytes.as_ptr(), self.count);
                    }
                }
            }
        }
    }
}

/// The same value, of which the compiler does not know that it is the same: it loads the registers of a patch from there
/// two at a time, instead of copying those of the patch before one at a time.
#[inline(always)]
pub(super) fn again<T>(mut at: *const T) -> *const T {
    // SAFETY: it does nothing.
    unsafe { asm!("/* {0} */", inout(reg) at, options(readonly, nostack, preserves_flags)) };
    at
}
