//! One patch: a sum waits for the one before it, so that there must be many sums at a time.

use super::inputs::inputs;
use super::tiles::Tiles;
use crate::kernels::x86::avx512::lanes::{LANES, first};
use crate::packing::GROUP;
use core::arch::x86_64::*;

impl Tiles<'_, '_> {
    /// The only patch times the whole matrix.
    ///
    /// # Safety
    /// As of [`run`](Self::run), and there is one patch.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub unsafe fn single(&self) {
        let (outputs, mut output) = (self.op.outputs(), 0);
        // SAFETY: whole blocks as long as there are some, then the last one.
        unsafe {
            while output + 8 * LANES <= outputs {
                self.blocks::<8, 1>(output);
                output += 8 * LANES;
            }
            while output + 4 * LANES <= outputs {
                self.blocks::<4, 2>(output);
                output += 4 * LANES;
            }
            while output + 2 * LANES <= outputs {
                self.blocks::<2, 4>(output);
                output += 2 * LANES;
            }
            while output < outputs {
                self.blocks::<1, 4>(output);
                output += LANES;
            }
        }
    }

    /// Some blocks, of 16 outputs each, or one that may have fewer, with sums of every `SPLIT`th group of inputs each.
    ///
    /// # Safety
    /// As of [`single`](Self::single), and the blocks exist.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn blocks<const BLOCKS: usize, const SPLIT: usize>(&self, output: usize) {
        let depth = self.op.depth;
        // SAFETY: as of `tile`.
        unsafe {
            let channels = self.channels::<BLOCKS>(output);
            let (width, mask) = (channels.width, first(channels.width));
            let mut sums = [[_mm512_setzero_si512(); BLOCKS]; SPLIT];
            sums[0] = channels.bias;
            let mut weights = self.op.weights.as_ptr().add(output * depth);
            for row in 0..self.input.rows {
                let mut at = self.input.start.add(row * self.input.row_step);
                let mut left = self.input.row_len / GROUP;
                while left > 0 {
                    // What is left over goes to the first sums.
                    let now = if left >= SPLIT { SPLIT } else { 1 };
                    for split in 0..SPLIT {
                        if split < now {
                            let input = inputs(at, split * GROUP);
                            for block in 0..BLOCKS {
                                let weights =
                                    weights.add(block * LANES * depth + split * width * GROUP).cast();
                                let weight = if BLOCKS > 1 {
                                    _mm512_loadu_epi32(weights)
                                } else {
                                    _mm512_maskz_loadu_epi32(mask, weights)
                                };
                                sums[split][block] = _mm512_dpbusd_epi32(sums[split][block], input, weight);
                            }
                        }
                    }
                    (at, weights, left) = (at.add(now * GROUP), weights.add(now * width * GROUP), left - now);
                }
            }
            for split in 1..SPLIT {
                for block in 0..BLOCKS {
                    sums[0][block] = _mm512_add_epi32(sums[0][block], sums[split][block]);
                }
            }
            self.finish(&channels, &mut [sums[0]], self.output.add(output));
        }
    }
}
