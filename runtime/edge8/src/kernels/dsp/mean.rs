//! Mean over height and width.

use super::instructions::{add_even, add_odd};
use crate::operator::Mean;
use crate::slices::{not_unrolled, of_any_len};

/// Channels that are summed side by side.
const CHANNELS: usize = 4;

/// Pixels whose sum is sure to fit into 16 bits.
const MOST: usize = 256;

/// See [`Kernels::mean`](crate::kernels::Kernels::mean); false, and nothing done, where there are too many pixels.
pub(super) fn mean(op: &Mean, input: &[i8], output: &mut [i8]) -> bool {
    let channels = output.len().max(1);
    if op.input.shape.pixels() > MOST || output.len() < CHANNELS {
        return false;
    }
    let zero_points = (op.input.shape.pixels() as i32).wrapping_mul(op.input.zero_point.into());
    let mut first = 0;
    loop {
        let sums = sums(input, first, channels);
        for (out, &sum) in output.iter_mut().skip(first).zip(of_any_len(&sums)) {
            let value = op.multiplier.rescale(sum.wrapping_sub(zero_points));
            *out = op.activation.clamp(value.wrapping_add(op.output.zero_point.into()));
        }
        if first + CHANNELS >= channels {
            return true;
        }
        // The last four overlap those before them.
        first = (first + CHANNELS).min(channels - CHANNELS);
    }
}

/// The sums of four channels over all pixels.
fn sums(input: &[i8], first: usize, channels: usize) -> [i32; CHANNELS] {
    let [mut even, mut odd] = [0; 2];
    for pixel in input.chunks_exact(channels) {
        not_unrolled();
        let four =
            pixel.get(first..).and_then(|rest| rest.first_chunk::<CHANNELS>()).unwrap_or(&[0; CHANNELS]);
        let bytes = u32::from_le_bytes(four.map(|value| value as u8));
        (even, odd) = (add_even(even, bytes), add_odd(odd, bytes));
    }
    let (low, high) = (|pair: u32| i32::from(pair as i16), |pair: u32| pair as i32 >> 16);
    [low(even), low(odd), high(even), high(odd)]
}
