//! Mean over height and width.

use super::rescale::{Finish, Rescale};
use crate::fixed_point::Multiplier;
use crate::operator::Mean;
use core::arch::wasm32::*;

/// Channels at a time. A last block of fewer begins earlier and computes some channels again.
pub(super) const STEP: usize = 8;

/// Pixels whose sum fits into 16 bits.
const PIXELS: usize = 256;

/// See [`Kernels::mean`](crate::kernels::Kernels::mean), of at least 8 channels and with sums that can be shifted to the
/// left by `left`: see [`mean_shift`](crate::kernels::shapes::mean_shift).
pub(super) fn mean(op: &Mean, left: u32, input: &[i8], output: &mut [i8]) {
    let channels = output.len();
    let zero_points = op.input.shape.pixels() as i32 * i32::from(op.input.zero_point);
    let Multiplier { mantissa, shift } = op.multiplier;
    let rescale = Rescale::small(Multiplier { mantissa, shift: shift - left as i8 });
    let finish = Finish::new(op.output.zero_point, op.activation);
    for first in (0..channels).step_by(STEP) {
        let first = first.min(channels - STEP);
        let mut sums = [i32x4_splat(-zero_points); 2];
        for pixels in input.chunks(PIXELS * channels) {
            let mut part = i16x8_splat(0);
            for pixel in pixels.chunks_exact(channels) {
                // SAFETY: a pixel has 8 channels from the first one on.
                part = i16x8_add(part, unsafe { i16x8_load_extend_i8x8(pixel.as_ptr().add(first)) });
            }
            sums[0] = i32x4_add(sums[0], i32x4_extend_low_i16x8(part));
            sums[1] = i32x4_add(sums[1], i32x4_extend_high_i16x8(part));
        }
        let value = |half: usize| rescale.apply(i32x4_shl(sums[half], left));
        let values = finish.eight(value(0), value(1));
        // SAFETY: there are 8 channels from the first one on.
        unsafe {
            v128_store64_lane::<0>(finish.sixteen(values, values), output.as_mut_ptr().add(first).cast());
        }
    }
}
