//! A block of 8 outputs: two patches a register.

use super::inputs::inputs_of_two;
use super::tiles::{Channels, Tiles};
use crate::kernels::x86::avx512::lanes::{scatter, twice};
use crate::packing::GROUP;
use core::arch::x86_64::*;

/// Outputs of which two patches fill a register.
pub const PAIR: usize = 8;

impl Tiles<'_, '_> {
    /// All patches times a block of at most 8 outputs, two patches a register.
    ///
    /// # Safety
    /// As of [`run`](Self::run), and the block is padded to 8 outputs.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub unsafe fn pairs(&self, output: usize) {
        let mut patch = 0;
        // SAFETY: as many patches as there are; see `tile`.
        unsafe {
            let channels = self.channels::<1>(output);
            let twice = Channels {
                bias: [twice(channels.bias[0])],
                rescale: [channels.rescale[0].twice()],
                ..channels
            };
            while patch + 16 <= self.input.count {
                self.tile_of_pairs::<8>(&twice, patch, output);
                patch += 16;
            }
            if patch + 8 <= self.input.count {
                self.tile_of_pairs::<4>(&twice, patch, output);
                patch += 8;
            }
            self.rest::<1>(&channels, patch, output);
        }
    }

    /// `2 REGISTERS` patches times 8 outputs, a multiple of 4 registers.
    ///
    /// # Safety
    /// As of [`pairs`](Self::pairs); the patches exist.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn tile_of_pairs<const REGISTERS: usize>(
        &self,
        channels: &Channels<1>,
        patch: usize,
        output: usize,
    ) {
        let (mut sums, outputs) = ([channels.bias[0]; REGISTERS], self.op.outputs());
        let steps = self.steps();
        // SAFETY: as of `tile`; a block of 8 outputs has 32 bytes of weights for 4 inputs.
        unsafe {
            let mut weights = self.op.weights.as_ptr().add(output * self.op.depth);
            for row in 0..self.input.rows {
                let mut at = self.input.start.add(patch * self.input.step + row * self.input.row_step);
                for _ in 0..self.input.row_len / GROUP {
                    let weight = twice(_mm512_castsi256_si512(_mm256_loadu_si256(weights.cast())));
                    for index in 0..REGISTERS {
                        let first = if index < 4 { at } else { at.add(8 * self.input.step) };
                        let (left, right) = (steps[2 * index % 8], steps[2 * index % 8 + 1]);
                        let both = inputs_of_two(first, left, right);
                        sums[index] = _mm512_dpbusd_epi32(sums[index], both, weight);
                    }
                    (at, weights) = (at.add(GROUP), weights.add(PAIR * GROUP));
                }
            }
            for index in (0..REGISTERS).step_by(4) {
                let mut four = [sums[index]; 4];
                for next in 0..4 {
                    four[next] = channels.rescale[0].apply(sums[index + next]);
                }
                let values = channels.finish.apply(four);
                let to = self.output.add((patch + 2 * index) * outputs + output);
                if outputs == PAIR {
                    _mm512_storeu_si512(to.cast(), values);
                } else {
                    deal(to, outputs, channels.count, values);
                }
            }
        }
    }
}

/// Stores 8 times `count` of 8 values, `step` bytes from one to the next.
///
/// # Safety
/// There is room.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn deal(to: *mut i8, step: usize, count: usize, values: __m512i) {
    let quarters = [
        _mm512_castsi512_si128(values),
        _mm512_extracti32x4_epi32::<1>(values),
        _mm512_extracti32x4_epi32::<2>(values),
        _mm512_extracti32x4_epi32::<3>(values),
    ];
    for index in 0..4 {
        // SAFETY: there is room.
        unsafe {
            let (even, odd) = (to.add(2 * index * step), to.add((2 * index + 1) * step));
            scatter([even], count, _mm512_castsi128_si512(quarters[index]));
            scatter(
                [odd],
                count,
                _mm512_castsi128_si512(_mm_unpackhi_epi64(quarters[index], quarters[index])),
            );
        }
    }
}
