//! A packed matrix times patches.

use super::rescale::{Finish, Rescale};
use super::{LANES, first};
use crate::operator::Matrix;
use crate::packing::{GROUP, padded};
use core::arch::x86_64::*;
use core::mem::MaybeUninit;

/// Bytes of patches that are made unsigned at a time: a part of the first cache that leaves room for weights.
const CHUNK: usize = 8192;

/// Whether the operator is one for this kernel: small multipliers, weights as many as it reads, and a patch that fits.
pub(super) fn fits(op: &Matrix<'_>) -> bool {
    let outputs = op.outputs();
    op.channels.small
        && op.depth.is_multiple_of(GROUP)
        && (GROUP..=CHUNK).contains(&op.depth)
        && padded(outputs).checked_mul(op.depth).is_some_and(|len| op.weights.len() >= len)
        && [op.channels.bias.len(), op.channels.sum.len(), op.channels.mantissa.len()] == [outputs; 3]
}

/// See [`Kernels::product`](crate::kernels::Kernels::product); the operator [`fits`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) fn product(op: &Matrix<'_>, input: &[i8], output: &mut [i8]) {
    let mut unsigned = [MaybeUninit::<u8>::uninit(); CHUNK];
    let outputs = op.outputs().max(1);
    let most = CHUNK / op.depth;
    for (input, output) in input.chunks(most * op.depth).zip(output.chunks_mut(most * outputs)) {
        let patches = (input.len() / op.depth).min(output.len() / outputs);
        make_unsigned(input, &mut unsigned);
        let tiles = Tiles {
            op,
            finish: Finish::new(op.zero_point, op.activation),
            input: unsigned.as_ptr().cast(),
            output: output.as_mut_ptr(),
            patches,
        };
        // SAFETY: `patches` of them lie in both slices, all made unsigned, and the operator fits.
        unsafe { tiles.run() };
    }
}

/// Adds 128 to each value.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn make_unsigned(values: &[i8], unsigned: &mut [MaybeUninit<u8>; CHUNK]) {
    let flip = _mm512_set1_epi8(i8::MIN);
    for (from, to) in values.chunks(64).zip(unsigned.chunks_mut(64)) {
        let mask = if from.len() == 64 { u64::MAX } else { (1u64 << from.len()).wrapping_sub(1) };
        // SAFETY: the mask lets through as many bytes as `from` has, and `to`, cut from a multiple of 64, has 64.
        unsafe {
            let value = _mm512_maskz_loadu_epi8(mask, from.as_ptr());
            _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_xor_si512(value, flip));
        }
    }
}

/// The product, cut into tiles of patches and blocks of outputs.
struct Tiles<'a, 'b> {
    op: &'a Matrix<'b>,
    finish: Finish,
    /// `[patches][depth]`, unsigned.
    input: *const u8,
    /// `[patches][outputs]`.
    output: *mut i8,
    patches: usize,
}

impl Tiles<'_, '_> {
    /// # Safety
    /// `input` and `output` are as described, and the operator [`fits`].
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn run(&self) {
        let outputs = self.op.outputs();
        let mut output = 0;
        // SAFETY: whole blocks as long as there are some, then the last one; see `tile`.
        unsafe {
            while output + 4 * LANES <= outputs {
                self.column::<4, 4>(output);
                output += 4 * LANES;
            }
            if output + 3 * LANES <= outputs {
                self.column::<6, 3>(output);
                output += 3 * LANES;
            }
            if output + 2 * LANES <= outputs {
                self.column::<8, 2>(output);
                output += 2 * LANES;
            }
            while output < outputs {
                self.column::<12, 1>(output);
                output += LANES;
            }
        }
    }

    /// All patches times some blocks of outputs.
    ///
    /// # Safety
    /// As of [`run`](Self::run), and the blocks exist.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn column<const PATCHES: usize, const BLOCKS: usize>(&self, output: usize) {
        let mut patch = 0;
        // SAFETY: as many patches as there are; see `tile`.
        unsafe {
            while patch + PATCHES <= self.patches {
                self.tile::<PATCHES, BLOCKS>(patch, output);
                patch += PATCHES;
            }
            while patch + 4 <= self.patches {
                self.tile::<4, BLOCKS>(patch, output);
                patch += 4;
            }
            match self.patches - patch {
                1 => self.tile::<1, BLOCKS>(patch, output),
                2 => self.tile::<2, BLOCKS>(patch, output),
                3 => self.tile::<3, BLOCKS>(patch, output),
                _ => {}
            }
        }
    }

    /// Some patches times some blocks: every weight is loaded once, every group of 4 inputs once.
    ///
    /// # Safety
    /// As of [`run`](Self::run); `PATCHES` from `patch` on exist, and `BLOCKS` from `output` on, all of 16 outputs where
    /// there are several.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn tile<const PATCHES: usize, const BLOCKS: usize>(&self, patch: usize, output: usize) {
        let Self { op, finish, .. } = self;
        let left = op.outputs() - output;
        let width = padded(left).min(LANES);
        // SAFETY: a block of `width` outputs has `width * depth` weights, those before it 16 * depth each; the masks let
        // through the outputs that exist. A patch has `depth` inputs.
        unsafe {
            let mut sums = [[_mm512_setzero_si512(); BLOCKS]; PATCHES];
            for block in 0..BLOCKS {
                let bias = self.bias(output + block * LANES);
                sums.iter_mut().for_each(|sums| sums[block] = bias);
            }
            let weights = op.weights.as_ptr().add(output * op.depth);
            let inputs = self.input.add(patch * op.depth);
            for group in (0..op.depth).step_by(GROUP) {
                let weight: [__m512i; BLOCKS] = core::array::from_fn(|block| {
                    let at = weights.add(block * LANES * op.depth + group * width);
                    _mm512_maskz_loadu_epi32(first(width), at.cast())
                });
                for (index, sums) in sums.iter_mut().enumerate() {
                    let input = inputs.add(index * op.depth + group).cast::<i32>().read_unaligned();
                    let input = _mm512_set1_epi32(input);
                    for (sum, weight) in sums.iter_mut().zip(weight) {
                        *sum = _mm512_dpbusd_epi32(*sum, input, weight);
                    }
                }
            }
            for block in 0..BLOCKS {
                let count = (left - block * LANES).min(LANES);
                let channel = output + block * LANES;
                let rescale = Rescale::load(&op.channels, channel, count);
                for (index, sums) in sums.iter().enumerate() {
                    let to = self.output.add((patch + index) * op.outputs() + channel);
                    _mm_mask_storeu_epi8(to, first(count), finish.apply(rescale.apply(sums[block])));
                }
            }
        }
    }

    /// The biases of the block from an output on, for unsigned inputs.
    ///
    /// # Safety
    /// As of [`run`](Self::run).
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn bias(&self, output: usize) -> __m512i {
        let channels = &self.op.channels;
        let mask = first(self.op.outputs() - output);
        // SAFETY: the mask lets through the outputs that exist.
        unsafe {
            let bias = _mm512_maskz_loadu_epi32(mask, channels.bias.as_ptr().add(output).cast());
            let sum = _mm512_maskz_loadu_epi32(mask, channels.sum.as_ptr().add(output).cast());
            _mm512_sub_epi32(bias, _mm512_slli_epi32::<7>(sum))
        }
    }
}
