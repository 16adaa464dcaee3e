//! A packed matrix times patches.

use super::rescale::{Finish, Rescale};
use crate::kernels::patches::CHUNK;
use crate::operator::{Matrix, PerChannel, Word};
use crate::packing::{BLOCK, GROUP, padded};
use core::arch::x86_64::*;
use core::mem::MaybeUninit;

/// Outputs whose weights for a group of inputs fill a register.
const QUAD: usize = 4;

/// See [`Kernels::product`](crate::kernels::Kernels::product); the operator [`is_product`](crate::kernels::shapes::is_product).
#[target_feature(enable = "avx2")]
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
        for first in (0..outputs).step_by(BLOCK) {
            // SAFETY: `patches` of them lie in both slices, all widened, the block exists, and the operator fits.
            unsafe {
                match padded(outputs - first).min(BLOCK) / QUAD {
                    1 => tiles.column::<1>(first),
                    2 => tiles.column::<2>(first),
                    3 => tiles.column::<3>(first),
                    _ => tiles.column::<4>(first),
                }
            }
        }
    }
}

/// The product, cut into tiles of patches and blocks of outputs.
struct Tiles<'a, 'b> {
    op: &'a Matrix<'b>,
    /// `[patches][depth]`
    input: *const i16,
    /// `[patches][outputs]`
    output: *mut i8,
    patches: usize,
}

/// What follows the sums of a block of 16 outputs, those that do not exist filled up with anything.
struct Channels {
    bias: [__m256i; 2],
    rescale: [Rescale; 2],
    finish: Finish,
    count: usize,
}

impl Channels {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(op: &Matrix<'_>, first: usize) -> Self {
        let PerChannel { bias, mantissa, shift, .. } = op.channels;
        let count = (op.outputs() - first).min(BLOCK);
        // SAFETY: 16 constants of each kind, from `first` on or copied.
        unsafe {
            let load = |bias: *const Word, mantissa: *const Word, shift: *const i8| Self {
                bias: [_mm256_loadu_si256(bias.cast()), _mm256_loadu_si256(bias.add(8).cast())],
                rescale: Rescale::of_channels::<BLOCK>(mantissa, shift),
                finish: Finish::new(op.zero_point, op.activation),
                count,
            };
            if count == BLOCK {
                load(bias.as_ptr().add(first), mantissa.as_ptr().add(first), shift.as_ptr().add(first))
            } else {
                let mut words = [[[0; 4]; BLOCK]; 2];
                words[0][..count].copy_from_slice(&bias[first..]);
                words[1][..count].copy_from_slice(&mantissa[first..]);
                let mut shifts = [0; BLOCK];
                shifts[..count].copy_from_slice(&shift[first..]);
                load(words[0].as_ptr(), words[1].as_ptr(), shifts.as_ptr())
            }
        }
    }
}

impl Tiles<'_, '_> {
    /// All patches times a block of `4 Q` outputs.
    ///
    /// # Safety
    /// As described, and the block exists.
    #[target_feature(enable = "avx2")]
    unsafe fn column<const Q: usize>(&self, first: usize) {
        let channels = Channels::new(self.op, first);
        let mut patch = 0;
        // SAFETY: as many patches as there are.
        unsafe {
            while patch + 2 <= self.patches {
                self.tile::<2, Q>(&channels, patch, first);
                patch += 2;
            }
            if patch < self.patches {
                self.tile::<1, Q>(&channels, patch, first);
            }
        }
    }

    /// Some patches times a block.
    ///
    /// # Safety
    /// As of [`column`](Self::column); `PATCHES` from `patch` on exist.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn tile<const PATCHES: usize, const Q: usize>(
        &self,
        channels: &Channels,
        patch: usize,
        first: usize,
    ) {
        let depth = self.op.depth;
        // Of each output two sums, of the even and the odd pairs of inputs.
        let mut sums = [[_mm256_setzero_si256(); Q]; PATCHES];
        // SAFETY: a block has `4 Q * depth` weights, those before it 16 * depth each; a patch has `depth` inputs. Loops over
        // registers count: closures and iterators would send them through memory.
        unsafe {
            let weights = self.op.weights.as_ptr().add(first * depth);
            for group in (0..depth).step_by(GROUP) {
                let mut input = [_mm256_setzero_si256(); PATCHES];
                for index in 0..PATCHES {
                    let from = self.input.add((patch + index) * depth + group);
                    input[index] = _mm256_set1_epi64x(from.cast::<i64>().read_unaligned());
                }
                for quad in 0..Q {
                    let at = weights.add((group * Q + quad * GROUP) * QUAD);
                    let weight = _mm256_cvtepi8_epi16(_mm_loadu_si128(at.cast()));
                    for index in 0..PATCHES {
                        let products = _mm256_madd_epi16(input[index], weight);
                        sums[index][quad] = _mm256_add_epi32(sums[index][quad], products);
                    }
                }
            }
            for index in 0..PATCHES {
                let to = self.output.add((patch + index) * self.op.outputs() + first);
                finish::<Q>(channels, &sums[index], to);
            }
        }
    }
}

/// Stores the outputs of a block.
///
/// # Safety
/// There is room for as many as the block has.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn finish<const Q: usize>(channels: &Channels, sums: &[__m256i; Q], to: *mut i8) {
    // Adding neighbours leaves the outputs of two quads as 0 1 4 5, 2 3 6 7.
    let pairs = |one: usize, other: usize| {
        let sums = _mm256_hadd_epi32(sums[one.min(Q - 1)], sums[other.min(Q - 1)]);
        _mm256_permute4x64_epi64::<0b11_01_10_00>(sums)
    };
    let (low, high) = (pairs(0, 1), pairs(2, 3));
    let low = _mm256_add_epi32(low, channels.bias[0]);
    let high = _mm256_add_epi32(high, channels.bias[1]);
    // SAFETY: the caller's room is for `count` values.
    unsafe {
        let [one, other] = channels.rescale;
        let values = channels.finish.apply(
            one.apply(_mm256_permute2x128_si256::<0x20>(low, high)),
            other.apply(_mm256_permute2x128_si256::<0x31>(low, high)),
        );
        super::store(to, channels.count, values);
    }
}
