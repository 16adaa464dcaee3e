//! From sums to int8, 4 lanes at a time.

use crate::fixed_point::{Activation, Multiplier};
use crate::operator::PerChannel;
use core::arch::aarch64::*;
use core::arch::asm;

/// The multipliers of 4 lanes, all below 1/2.
///
/// `sqdmulh` gives `floor(x * mantissa / 2^31)`, `srshl` by `k = -shift >= 1` the rest: what the first step cuts off cannot
/// reach the rounding bit of the second.
#[derive(Clone, Copy)]
pub(super) struct Rescale {
    mantissa: int32x4_t,
    shift: int32x4_t,
}

impl Rescale {
    /// Whether a multiplier is small enough.
    pub const fn is_exact(multiplier: Multiplier) -> bool {
        multiplier.shift <= PerChannel::SMALL_SHIFT
    }

    /// One multiplier for all lanes.
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn all(multiplier: Multiplier) -> Self {
        let (mantissa, shift) = (multiplier.mantissa, i32::from(multiplier.shift));
        Self { mantissa: vdupq_n_s32(mantissa), shift: vdupq_n_s32(shift) }
    }

    /// `floor(x * m + 1/2)`.
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn apply(&self, x: int32x4_t) -> int32x4_t {
        vrshlq_s32(vqdmulhq_s32(x, self.mantissa), self.shift)
    }
}

/// Bias and multiplier of `4 Q` channels.
#[derive(Clone, Copy)]
pub(super) struct Channels<const Q: usize> {
    pub bias: [int32x4_t; Q],
    pub rescale: [Rescale; Q],
}

impl<const Q: usize> Channels<Q> {
    /// Those from `first` on; what is beyond the last of them is some number that nothing comes of.
    ///
    /// # Safety
    /// All arrays of the channels are as long as that of the shifts, and there is at least one channel from `first` on.
    #[inline]
    #[target_feature(enable = "neon")]
    pub unsafe fn load(channels: &PerChannel<'_>, first: usize) -> Self {
        let left = channels.shift.len() - first;
        // SAFETY: whole quads are loaded from where they lie, the others from copies.
        unsafe {
            let [bias, mantissa] = [channels.bias, channels.mantissa].map(|words| words.as_ptr().add(first));
            let shift = channels.shift.as_ptr().add(first);
            if left >= 4 * Q {
                return Self::new(bias.cast(), mantissa.cast(), shift);
            }
            let (mut some_bias, mut some_mantissa, mut some_shift) =
                ([[0u8; 4]; 16], [[0u8; 4]; 16], [-2i8; 16]);
            some_bias.as_mut_ptr().copy_from_nonoverlapping(bias, left);
            some_mantissa.as_mut_ptr().copy_from_nonoverlapping(mantissa, left);
            some_shift.as_mut_ptr().copy_from_nonoverlapping(shift, left);
            Self::new(some_bias.as_ptr().cast(), some_mantissa.as_ptr().cast(), some_shift.as_ptr())
        }
    }

    /// # Safety
    /// `4 Q` values lie at each address.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn new(bias: *const i32, mantissa: *const i32, shift: *const i8) -> Self {
        // SAFETY: see above; 4 Q shifts are loaded as 16, 8 or 4 bytes.
        unsafe {
            let words = |at: *const i32, quad: usize| vreinterpretq_s32_s8(vld1q_s8(at.add(4 * quad).cast()));
            let shifts = shifts::<Q>(shift);
            let zero = vdupq_n_s32(0);
            let mut all = Self { bias: [zero; Q], rescale: [Rescale { mantissa: zero, shift: zero }; Q] };
            for quad in 0..Q {
                all.bias[quad] = words(bias, quad);
                all.rescale[quad] = Rescale { mantissa: words(mantissa, quad), shift: shifts[quad] };
            }
            all
        }
    }
}

/// `4 Q` shifts.
///
/// # Safety
/// They lie there.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn shifts<const Q: usize>(from: *const i8) -> [int32x4_t; Q] {
    // SAFETY: as many are loaded.
    let bytes = unsafe {
        match Q {
            1 => vcombine_s8(vcreate_s8(from.cast::<u32>().read_unaligned().into()), vdup_n_s8(0)),
            2 => vcombine_s8(vld1_s8(from), vdup_n_s8(0)),
            3 => vcombine_s8(vld1_s8(from), vcreate_s8(from.add(8).cast::<u32>().read_unaligned().into())),
            _ => vld1q_s8(from),
        }
    };
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
    min: int8x16_t,
    max: int8x16_t,
    /// Whether the clamp does more than the saturation that comes before it.
    clamps: bool,
}

impl Finish {
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn new(zero_point: i8, activation: Activation) -> Self {
        Self {
            zero_point: vdupq_n_s16(zero_point.into()),
            min: vdupq_n_s8(activation.min),
            max: vdupq_n_s8(activation.max),
            clamps: activation != Activation::NONE,
        }
    }

    /// 8 values plus the zero point. Saturation on the way changes nothing: what it cuts off is beyond the clamp with and
    /// without the zero point.
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn eight(&self, a: int32x4_t, b: int32x4_t) -> int16x8_t {
        vqaddq_s16(vqmovn_high_s32(vqmovn_s32(a), b), self.zero_point)
    }

    /// 16 values in int8, not yet clamped.
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn sixteen(&self, a: int16x8_t, b: int16x8_t) -> int8x16_t {
        vqmovn_high_s16(vqmovn_s16(a), b)
    }

    /// The clamp, where it does more than saturation has done.
    #[inline]
    #[target_feature(enable = "neon")]
    pub fn clamp<const N: usize>(&self, values: &mut [int8x16_t; N]) {
        if self.clamps {
            // SAFETY: it does nothing, but keeps the compiler from clamping in any case and throwing the result away.
            unsafe { asm!("", options(nomem, nostack, preserves_flags)) };
            for index in 0..N {
                values[index] = vminq_s8(vmaxq_s8(values[index], self.min), self.max);
            }
        }
    }
}
