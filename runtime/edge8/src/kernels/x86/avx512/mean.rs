//! Mean over height and width.

use super::lanes::{LANES, first, load, store};
use super::rescale::{Finish, RescaleAny};
use crate::operator::Mean;
use core::arch::x86_64::*;

/// See [`Kernels::mean`](crate::kernels::Kernels::mean), of any multiplier.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) fn mean(op: &Mean, input: &[i8], output: &mut [i8]) {
    let channels = output.len().max(1);
    let start = _mm512_set1_epi32(-(op.input.shape.pixels() as i32 * i32::from(op.input.zero_point)));
    let (rescale, finish) =
        (RescaleAny::new(op.multiplier), Finish::new(op.output.zero_point, op.activation));
    for (block, values) in output.chunks_mut(LANES).enumerate() {
        let mask = first(values.len());
        let mut sum = start;
        for pixel in input.chunks_exact(channels) {
            let part = &pixel[block * LANES..];
            // SAFETY: the mask lets through as many channels as are left.
            let part = unsafe { load(part.as_ptr(), mask) };
            sum = _mm512_add_epi32(sum, _mm512_cvtepi8_epi32(part));
        }
        // SAFETY: as many values as the mask lets through are there.
        unsafe { store(values.as_mut_ptr(), mask, finish.apply_any(&rescale, sum)) };
    }
}
