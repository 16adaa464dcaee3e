//! From sums to int8, 4 lanes at a time.

use crate::fixed_point::{Activation, Multiplier};
use crate::operator::{PerChannel, Word};
use core::arch::aarch64::*;
use core::arch::asm;

/// Bits of a fraction that results have until they are rounded to int8.
const FRACTION: i32 = 6;

/// A multiplier below 1/4 for each of 4 lanes.
///
/// `sqdmulh` gives `floor(x * mantissa / 2^31)`. With `k = -shift` bits to go, `sqshl` by `16 + 6 - k`, to the left or to the
/// right, brings the result into the upper half of the lane, with 6 bits of its fraction. What is cut off on the way cannot
/// reach the bit that rounds. What saturates is beyond 512, beyond any clamp even after a zero point.
#[derive(Clone, Copy)]
pub(super) struct Rescale {
    mantissa: int32x4_t,
    left: int32x4_t,
}

impl Rescale {
    /// Whether a multiplier is small enough.
    pub const fn is_exact(multiplier: Multiplier) -> bool {
        multiplier.shift <= PerChannel::SMALL_SHIFT
    }

    /// One multiplier for all lanes.
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn all(Multiplier { mantissa, shift }: Multiplier) -> Self {
        Self { mantissa: vdupq_n_s32(mantissa), left: vdupq_n_s32(i32::from(shift) + 16 + FRACTION) }
    }

    /// `x * m` in the upper half of each lane, with the bits of a fraction.
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn apply(&self, x: int32x4_t) -> int32x4_t {
        vqshlq_s32(vqdmulhq_s32(x, self.mantissa), self.left)
    }
}

/// Bias and multiplier of `4 Q` channels: most of them where they lie, for registers are scarce.
#[derive(Clone, Copy)]
pub(super) struct Channels<const Q: usize> {
    pub bias: *const Word,
    mantissa: *const Word,
    left: [int32x4_t; Q],
}

impl<const Q: usize> Channels<Q> {
    /// Those from `first` on.
    ///
    /// # Safety
    /// There are as many. They are there as long as the result is used.
    #[inline]
    #[target_feature(enable = "neon")]
    pub unsafe fn new(channels: &PerChannel<'_>, first: usize) -> Self {
        // SAFETY: see above.
        unsafe {
            Self {
                bias: channels.bias.as_ptr().add(first),
                mantissa: channels.mantissa.as_ptr().add(first),
                left: left::<Q>(channels.shift.as_ptr().add(first)),
            }
        }
    }

    /// The biases.
    ///
    /// # Safety
    /// As of [`new`](Self::new).
    #[inline]
    #[target_feature(enable = "neon")]
    pub unsafe fn bias(&self) -> [int32x4_t; Q] {
        let mut bias = [vdupq_n_s32(0); Q];
        for quad in 0..Q {
            // SAFETY: see above.
            bias[quad] = unsafe { load(self.bias.add(4 * quad)) };
        }
        bias
    }

    /// The multipliers of four channels.
    ///
    /// # Safety
    /// As of [`new`](Self::new).
    #[inline]
    #[target_feature(enable = "neon")]
    pub unsafe fn rescale(&self, quad: usize) -> Rescale {
        // SAFETY: see above.
        Rescale { mantissa: unsafe { load(self.mantissa.add(4 * quad)) }, left: self.left[quad] }
    }
}

/// Four words.
///
/// # Safety
/// They lie there.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load(from: *const Word) -> int32x4_t {
    // SAFETY: see above.
    vreinterpretq_s32_s8(unsafe { vld1q_s8(from.cast()) })
}

/// Up to 16 channels of which the last quad is not full, with nothing in the place of those that are missing.
pub(super) struct Last {
    bias: [Word; 16],
    mantissa: [Word; 16],
    shift: [i8; 16],
}

impl Last {
    /// The channels from `first` on, of which there are at most 16.
    pub fn new(channels: &PerChannel<'_>, first: usize) -> Self {
        let mut last = Self { bias: [[0; 4]; 16], mantissa: [[0; 4]; 16], shift: [0; 16] };
        fill(&mut last.bias, channels.bias, first);
        fill(&mut last.mantissa, channels.mantissa, first);
        fill(&mut last.shift, channels.shift, first);
        last
    }

    pub fn channels(&self) -> PerChannel<'_> {
        let Self { bias, mantissa, shift } = self;
        PerChannel { bias, sum: bias, mantissa, shift, small: true }
    }
}

/// Copies what there is from `first` on.
fn fill<T: Copy>(to: &mut [T], from: &[T], first: usize) {
    for (to, from) in to.iter_mut().zip(from.iter().skip(first)) {
        *to = *from;
    }
}

/// `4 Q` shifts, as [`Rescale`] shifts to the left.
///
/// # Safety
/// They lie there.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn left<const Q: usize>(from: *const i8) -> [int32x4_t; Q] {
    // SAFETY: as many are loaded.
    let bytes = unsafe {
        match Q {
            1 => vcombine_s8(vcreate_s8(from.cast::<u32>().read_unaligned().into()), vdup_n_s8(0)),
            2 => vcombine_s8(vld1_s8(from), vdup_n_s8(0)),
            3 => vcombine_s8(vld1_s8(from), vcreate_s8(from.add(8).cast::<u32>().read_unaligned().into())),
            _ => vld1q_s8(from),
        }
    };
    let bytes = vaddq_s8(bytes, vdupq_n_s8((16 + FRACTION) as i8));
    let halves = [vmovl_s8(vget_low_s8(bytes)), vmovl_high_s8(bytes)];
    let mut shifts = [vdupq_n_s32(0); Q];
    for quad in 0..Q {
        let half = halves[quad / 2];
        shifts[quad] = if quad % 2 == 0 { vmovl_s16(vget_low_s16(half)) } else { vmovl_high_s16(half) };
    }
    shifts
}

/// The end of an output: zero point and clamp.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    zero_point: int16x8_t,
    /// One lane of it.
    pub zero_point_bits: i16,
    /// The least and the largest value.
    limits: [int8x16_t; 2],
    /// Whether the clamp does more than the saturation that comes before it.
    clamps: bool,
}

impl Finish {
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn new(zero_point: i8, activation: Activation) -> Self {
        Self {
            zero_point: vdupq_n_s16(i16::from(zero_point) << FRACTION),
            zero_point_bits: i16::from(zero_point) << FRACTION,
            limits: [vdupq_n_s8(activation.min), vdupq_n_s8(activation.max)],
            clamps: activation != Activation::NONE,
        }
    }

    /// Where the limits lie; nowhere if saturation is all there is.
    pub const fn limits(&self) -> *const int8x16_t {
        if self.clamps { self.limits.as_ptr() } else { core::ptr::null() }
    }

    /// 8 [rescaled](Rescale::apply) values plus the zero point.
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn eight(&self, a: int32x4_t, b: int32x4_t) -> int16x8_t {
        let upper = vuzp2q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b));
        vqaddq_s16(upper, self.zero_point)
    }

    /// 16 values rounded, not yet clamped.
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn sixteen(&self, a: int16x8_t, b: int16x8_t) -> int8x16_t {
        vqrshrn_high_n_s16::<FRACTION>(vqrshrn_n_s16::<FRACTION>(a), b)
    }

    /// The clamp, where it does more than saturation has done.
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn clamp<const N: usize>(&self, values: &mut [int8x16_t; N]) {
        if self.clamps {
            // SAFETY: it does nothing, but keeps the compiler from clamping in any case and throwing the result away.
            unsafe { asm!("", options(nomem, nostack, preserves_flags)) };
            for index in 0..N {
                values[index] = vminq_s8(vmaxq_s8(values[index], self.limits[0]), self.limits[1]);
            }
        }
    }
}
