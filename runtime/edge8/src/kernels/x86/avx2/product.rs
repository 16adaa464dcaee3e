//! A packed matrix times patches.
//!
//! `vpmaddubsw` multiplies unsigned by signed bytes and adds neighbours in 16 bits. `w * x` is `w * sign(x)` times `|x|`: a
//! weight is in [-127, 127], so that its sign can be changed, and two products fit, `2 * 127 * 128`.

use super::rescale::{Finish, Rescale};
use super::store::store;
use crate::kernels::patches::Patches;
use crate::operator::{Matrix, PerChannel, Word};
use crate::packing::{BLOCK, GROUP, padded};
use core::arch::x86_64::*;

/// Outputs whose sums fill a register.
const LANES: usize = 8;

/// A matrix that [`is_product`](crate::kernels::shapes::is_product) times patches.
///
/// # Safety
/// The patches are there, each of `depth` bytes.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn product(op: &Matrix<'_>, patches: Patches, output: &mut [i8]) {
    let count = patches.count.min(output.len() / op.outputs().max(1));
    let tiles = Tiles { op, input: Patches { count, ..patches }, output: output.as_mut_ptr() };
    // SAFETY: so many patches have their place in the output; see above.
    unsafe { tiles.run() };
}

/// The product, cut into tiles of patches and blocks of outputs.
struct Tiles<'a, 'b> {
    op: &'a Matrix<'b>,
    input: Patches,
    /// `[patches][outputs]`
    output: *mut i8,
}

/// What follows the sums of some blocks of 8 outputs, those that do not exist filled up with anything.
struct Channels<const BLOCKS: usize> {
    bias: [__m256i; BLOCKS],
    rescale: [Rescale; BLOCKS],
    finish: Finish,
    /// Outputs of the last block.
    count: usize,
}

impl<const BLOCKS: usize> Channels<BLOCKS> {
    /// Of the outputs from `first` on, of which there is one for each block but the last at least.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(op: &Matrix<'_>, first: usize) -> Self {
        let PerChannel { bias, mantissa, shift, .. } = op.channels;
        let load = |bias: &[Word], mantissa: &[Word], shift: &[i8]| {
            // SAFETY: 8 constants of each kind.
            unsafe {
                (
                    _mm256_loadu_si256(bias.as_ptr().cast()),
                    Rescale::of_eight(mantissa.as_ptr(), shift.as_ptr()),
                )
            }
        };
        let mut channels = Self {
            bias: [_mm256_setzero_si256(); BLOCKS],
            rescale: [Rescale::none(); BLOCKS],
            finish: Finish::new(op.zero_point, op.activation),
            count: LANES,
        };
        for block in 0..BLOCKS {
            let first = first + block * LANES;
            let count = (op.outputs() - first).min(LANES);
            (channels.bias[block], channels.rescale[block]) = if count == LANES {
                load(
                    &bias[first..first + LANES],
                    &mantissa[first..first + LANES],
                    &shift[first..first + LANES],
                )
            } else {
                let (mut words, mut shifts) = ([[[0; 4]; LANES]; 2], [0; LANES]);
                words[0][..count].copy_from_slice(&bias[first..]);
                words[1][..count].copy_from_slice(&mantissa[first..]);
                shifts[..count].copy_from_slice(&shift[first..]);
                load(&words[0], &words[1], &shifts)
            };
            channels.count = count;
        }
        channels
    }
}

impl Tiles<'_, '_> {
    /// # Safety
    /// `input` and `output` are as described, and the operator [`is_product`](crate::kernels::shapes::is_product).
    #[target_feature(enable = "avx2")]
    unsafe fn run(&self) {
        let outputs = self.op.outputs();
        // SAFETY: the blocks exist.
        unsafe {
            let mut first = 0;
            while first + 2 * BLOCK <= outputs {
                self.column::<4, false>(first);
                first += 2 * BLOCK;
            }
            for first in (first..outputs).step_by(BLOCK) {
                match padded(outputs - first) {
                    4 => self.column::<1, true>(first),
                    8 => self.column::<1, false>(first),
                    12 => {
                        self.column::<1, false>(first);
                        self.column::<1, true>(first + LANES);
                    }
                    _ => self.column::<2, false>(first),
                }
            }
        }
    }

    /// All patches times some blocks of 8 outputs, or of 4 and a `HALF` that is not there.
    ///
    /// # Safety
    /// As of [`run`](Self::run), and the blocks exist.
    #[target_feature(enable = "avx2")]
    unsafe fn column<const BLOCKS: usize, const HALF: bool>(&self, first: usize) {
        let channels = Channels::<BLOCKS>::new(self.op, first);
        let mut patch = 0;
        // SAFETY: as many patches as there are.
        unsafe {
            if BLOCKS == 1 {
                while patch + 8 <= self.input.count {
                    self.tile::<8, BLOCKS, HALF>(&channels, patch, first);
                    patch += 8;
                }
            }
            if BLOCKS < 4 {
                while patch + 4 <= self.input.count {
                    self.tile::<4, BLOCKS, HALF>(&channels, patch, first);
                    patch += 4;
                }
            }
            while patch + 2 <= self.input.count {
                self.tile::<2, BLOCKS, HALF>(&channels, patch, first);
                patch += 2;
            }
            if patch < self.input.count {
                self.tile::<1, BLOCKS, HALF>(&channels, patch, first);
            }
        }
    }

    /// Some patches times some blocks.
    ///
    /// # Safety
    /// As of [`column`](Self::column); `PATCHES` from `patch` on exist.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn tile<const PATCHES: usize, const BLOCKS: usize, const HALF: bool>(
        &self,
        channels: &Channels<BLOCKS>,
        patch: usize,
        first: usize,
    ) {
        let (depth, outputs) = (self.op.depth, self.op.outputs());
        let mut sums = [channels.bias; PATCHES];
        // A block of 16 outputs begins here, and has so many bytes for 4 inputs.
        let begin = first - first % BLOCK;
        let step = padded(outputs - begin).min(BLOCK) * GROUP;
        // SAFETY: the weights of the blocks before take `depth` bytes an output; a patch has `depth` inputs. Loops over
        // registers count: closures and iterators would send them through memory.
        unsafe {
            let mut weights = self.op.weights.as_ptr().add(begin * depth + first % BLOCK * GROUP);
            for row in 0..self.input.rows {
                let mut at = self.input.start.add(patch * self.input.step + row * self.input.row_step);
                for _ in 0..self.input.row_len / GROUP {
                    let mut weight = [_mm256_setzero_si256(); BLOCKS];
                    for block in 0..BLOCKS {
                        weight[block] =
                            load::<HALF>(weights.add(block / 2 * BLOCK * depth + block % 2 * LANES * GROUP));
                    }
                    for index in 0..PATCHES {
                        let group = at.add(index * self.input.step).cast::<i32>().read_unaligned();
                        let input = _mm256_set1_epi32(group);
                        let size = _mm256_abs_epi8(input);
                        for block in 0..BLOCKS {
                            let pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(weight[block], input));
                            let products = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
                            sums[index][block] = _mm256_add_epi32(sums[index][block], products);
                        }
                    }
                    (at, weights) = (at.add(GROUP), weights.add(step));
                }
            }
            self.finish(channels, &mut sums, self.output.add(patch * outputs + first));
        }
    }

    /// Rescales and stores sums, `to` on.
    ///
    /// # Safety
    /// As of [`tile`](Self::tile).
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn finish<const PATCHES: usize, const BLOCKS: usize>(
        &self,
        channels: &Channels<BLOCKS>,
        sums: &mut [[__m256i; BLOCKS]; PATCHES],
        to: *mut i8,
    ) {
        for block in 0..BLOCKS {
            for index in 0..PATCHES {
                sums[index][block] = channels.rescale[block].apply(sums[index][block]);
            }
        }
        let outputs = self.op.outputs();
        // SAFETY: the outputs of these patches exist.
        unsafe {
            if BLOCKS == 4 {
                for p in 0..PATCHES {
                    let four = [sums[p][0], sums[p][1 % BLOCKS], sums[p][2 % BLOCKS], sums[p][3 % BLOCKS]];
                    _mm256_storeu_si256(to.add(p * outputs).cast(), channels.finish.four(four));
                }
            } else if BLOCKS == 2 {
                for p in (0..PATCHES).step_by(2) {
                    let q = (p + 1).min(PATCHES - 1);
                    let values = channels.finish.four([sums[p][0], sums[p][1], sums[q][0], sums[q][1]]);
                    let (low, high) = (_mm256_castsi256_si128(values), _mm256_extracti128_si256::<1>(values));
                    store(to.add(p * outputs), LANES + channels.count, low);
                    store(to.add(q * outputs), LANES + channels.count, high);
                }
            } else {
                for p in (0..PATCHES).step_by(4) {
                    let [q, r, s] = [p + 1, p + 2, p + 3].map(|patch| patch.min(PATCHES - 1));
                    let values = channels.finish.four([sums[p][0], sums[q][0], sums[r][0], sums[s][0]]);
                    if outputs == LANES && s == p + 3 {
                        _mm256_storeu_si256(to.add(p * outputs).cast(), values);
                    } else {
                        let (low, high) =
                            (_mm256_castsi256_si128(values), _mm256_extracti128_si256::<1>(values));
                        store(to.add(p * outputs), channels.count, low);
                        store(to.add(q * outputs), channels.count, _mm_unpackhi_epi64(low, low));
                        store(to.add(r * outputs), channels.count, high);
                        store(to.add(s * outputs), channels.count, _mm_unpackhi_epi64(high, high));
                    }
                }
            }
        }
    }
}

/// The weights of 8 outputs for 4 inputs, or of a `HALF` of them.
///
/// # Safety
/// They are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load<const HALF: bool>(from: *const i8) -> __m256i {
    // SAFETY: see above.
    unsafe {
        if HALF {
            _mm256_zextsi128_si256(_mm_loadu_si128(from.cast()))
        } else {
            _mm256_loadu_si256(from.cast())
        }
    }
}
