//! Tiles: some patches times some blocks of outputs, whose sums stay in registers.

use super::inputs::inputs;
use crate::kernels::patches::Patches;
use crate::kernels::x86::avx512::bias::unsigned_bias;
use crate::kernels::x86::avx512::lanes::{LANES, first, scatter};
use crate::kernels::x86::avx512::rescale::{Finish, Rescale};
use crate::operator::Matrix;
use crate::packing::{GROUP, padded};
use core::arch::x86_64::*;

/// The product, cut into tiles of patches and blocks of outputs.
pub struct Tiles<'a, 'b> {
    pub op: &'a Matrix<'b>,
    pub input: Patches,
    /// `[patches][outputs]`.
    pub output: *mut i8,
}

/// What follows the sums of some blocks of outputs.
pub struct Channels<const BLOCKS: usize> {
    pub bias: [__m512i; BLOCKS],
    pub rescale: [Rescale; BLOCKS],
    pub finish: Finish,
    /// Outputs of each block: 16, or of a last block by itself fewer.
    pub count: usize,
    /// The same, filled up as the weights are.
    pub width: usize,
}

impl Tiles<'_, '_> {
    /// All patches times some blocks of outputs, of 16 each, or one that may have fewer.
    ///
    /// # Safety
    /// As of [`run`](Self::run), and the blocks exist.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub unsafe fn column<const PATCHES: usize, const BLOCKS: usize>(&self, output: usize) {
        let mut patch = 0;
        // SAFETY: as many patches as there are; see `tile`.
        unsafe {
            let channels = self.channels::<BLOCKS>(output);
            while patch + PATCHES <= self.input.count {
                self.tile::<PATCHES, BLOCKS>(&channels, patch, output);
                patch += PATCHES;
            }
            self.rest::<BLOCKS>(&channels, patch, output);
        }
    }

    /// The patches from `patch` on, some at the end.
    ///
    /// # Safety
    /// As of [`column`](Self::column).
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub unsafe fn rest<const BLOCKS: usize>(
        &self,
        channels: &Channels<BLOCKS>,
        mut patch: usize,
        output: usize,
    ) {
        // SAFETY: as many patches as there are; see `tile`.
        unsafe {
            while patch + 4 <= self.input.count {
                self.tile::<4, BLOCKS>(channels, patch, output);
                patch += 4;
            }
            match self.input.count - patch {
                1 => self.tile::<1, BLOCKS>(channels, patch, output),
                2 => self.tile::<2, BLOCKS>(channels, patch, output),
                3 => self.tile::<3, BLOCKS>(channels, patch, output),
                _ => {}
            }
        }
    }

    /// The constants of some blocks.
    ///
    /// # Safety
    /// As of [`column`](Self::column).
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub unsafe fn channels<const BLOCKS: usize>(&self, output: usize) -> Channels<BLOCKS> {
        let Matrix { channels, zero_point, activation, .. } = self.op;
        let count = (self.op.outputs() - output).min(LANES);
        let finish = Finish::new(*zero_point, *activation);
        // SAFETY: the outputs exist.
        unsafe {
            let mut bias = [_mm512_setzero_si512(); BLOCKS];
            let mut rescale = [Rescale::load(channels, output, count); BLOCKS];
            for block in 0..BLOCKS {
                bias[block] = unsigned_bias(channels, output + block * LANES, count);
                rescale[block] = Rescale::load(channels, output + block * LANES, count);
            }
            Channels { bias, rescale, finish, count, width: padded(count) }
        }
    }

    /// How far patches lie behind the first.
    #[inline(always)]
    pub const fn steps(&self) -> [usize; 8] {
        let step = self.input.step;
        [0, step, 2 * step, 3 * step, 4 * step, 5 * step, 6 * step, 7 * step]
    }

    /// Some patches times some blocks: every weight is loaded once, every group of 4 inputs once.
    ///
    /// # Safety
    /// As of [`column`](Self::column); `PATCHES` from `patch` on exist.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn tile<const PATCHES: usize, const BLOCKS: usize>(
        &self,
        channels: &Channels<BLOCKS>,
        patch: usize,
        output: usize,
    ) {
        let depth = self.op.depth;
        let mut sums = [channels.bias; PATCHES];
        let (width, mask) = (channels.width, first(channels.width));
        let steps = self.steps();
        // SAFETY: a block of `width` outputs has `width * depth` weights, those before it 16 * depth each. A patch has
        // `depth` inputs. Loops over registers count: closures and iterators would send them through memory.
        unsafe {
            let mut weights = self.op.weights.as_ptr().add(output * depth);
            for row in 0..self.input.rows {
                let mut at = self.input.start.add(patch * self.input.step + row * self.input.row_step);
                for _ in 0..self.input.row_len / GROUP {
                    let mut weight = [_mm512_setzero_si512(); BLOCKS];
                    for block in 0..BLOCKS {
                        let weights = weights.add(block * LANES * depth).cast();
                        weight[block] = if BLOCKS > 1 {
                            _mm512_loadu_epi32(weights)
                        } else {
                            _mm512_maskz_loadu_epi32(mask, weights)
                        };
                    }
                    for index in 0..PATCHES {
                        let input = inputs(at, steps[index]);
                        for block in 0..BLOCKS {
                            sums[index][block] =
                                _mm512_dpbusd_epi32(sums[index][block], input, weight[block]);
                        }
                    }
                    (at, weights) = (at.add(GROUP), weights.add(width * GROUP));
                }
            }
            self.finish(channels, &mut sums, self.output.add(patch * self.op.outputs() + output));
        }
    }

    /// Rescales and stores sums, `to` on.
    ///
    /// # Safety
    /// As of [`tile`](Self::tile).
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub unsafe fn finish<const PATCHES: usize, const BLOCKS: usize>(
        &self,
        channels: &Channels<BLOCKS>,
        sums: &mut [[__m512i; BLOCKS]; PATCHES],
        to: *mut i8,
    ) {
        let Channels { rescale, finish, count, .. } = channels;
        // Block by block: what rescales a block is loaded once.
        for block in 0..BLOCKS {
            for index in 0..PATCHES {
                sums[index][block] = rescale[block].apply(sums[index][block]);
            }
        }
        // SAFETY: the outputs of these patches from the block on exist.
        let place = |patch: usize, block: usize| unsafe { to.add(patch * self.op.outputs() + block * LANES) };
        let at = |patch: usize, block: usize| sums[patch][block];
        // Four blocks are finished at a time, of one patch, or of several where that has fewer.
        // SAFETY: as above.
        unsafe {
            if BLOCKS == 8 {
                for p in 0..PATCHES {
                    for half in [0, BLOCKS / 2] {
                        let four = [at(p, half), at(p, half + 1), at(p, half + 2), at(p, half + 3)];
                        _mm512_storeu_si512(place(p, half).cast(), finish.apply(four));
                    }
                }
            } else if BLOCKS == 4 || BLOCKS == 3 {
                for p in 0..PATCHES {
                    let values = finish.apply([at(p, 0), at(p, 1), at(p, 2), at(p, BLOCKS - 1)]);
                    if BLOCKS == 4 {
                        _mm512_storeu_si512(place(p, 0).cast(), values);
                    } else {
                        _mm256_storeu_si256(place(p, 0).cast(), _mm512_castsi512_si256(values));
                        _mm_storeu_si128(place(p, 2).cast(), _mm512_extracti32x4_epi32::<2>(values));
                    }
                }
            } else if BLOCKS == 2 {
                for p in (0..PATCHES).step_by(2) {
                    let q = (p + 1).min(PATCHES - 1);
                    let values = finish.apply([at(p, 0), at(p, 1), at(q, 0), at(q, 1)]);
                    _mm256_storeu_si256(place(p, 0).cast(), _mm512_castsi512_si256(values));
                    _mm256_storeu_si256(place(q, 0).cast(), _mm512_extracti64x4_epi64::<1>(values));
                }
            } else {
                for p in (0..PATCHES).step_by(4) {
                    let [q, r, s] = [p + 1, p + 2, p + 3].map(|patch| patch.min(PATCHES - 1));
                    let values = finish.apply([at(p, 0), at(q, 0), at(r, 0), at(s, 0)]);
                    if self.op.outputs() == LANES && s == p + 3 {
                        _mm512_storeu_si512(place(p, 0).cast(), values);
                    } else {
                        scatter([place(p, 0), place(q, 0), place(r, 0), place(s, 0)], *count, values);
                    }
                }
            }
        }
    }
}
