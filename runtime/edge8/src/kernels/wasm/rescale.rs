//! From sums to int8, 4 lanes at a time.
//!
//! With `n = 31 - shift >= 33`, `floor((x * mantissa + 2^(n-1)) / 2^n)` is the high half of the product, plus `2^(n-33)`,
//! shifted right by `n - 32`: what the low half holds cannot reach the rounding bit.

use crate::fixed_point::{Activation, Multiplier};
use crate::operator::{PerChannel, Word};
use core::arch::wasm32::*;

/// The same value, of which the compiler does not know that it is the same. Otherwise it would widen factors before a loop,
/// and leave multiplications of 64 bits in it, which processors do not have.
#[inline(always)]
fn again(value: &v128) -> v128 {
    // SAFETY: it is a reference.
    unsafe { core::ptr::from_ref(value).read_volatile() }
}

/// The high halves of the products.
#[inline(always)]
fn multiply_high(x: v128, mantissa: &v128) -> v128 {
    let mantissa = again(mantissa);
    i32x4_shuffle::<1, 3, 5, 7>(i64x2_extmul_low_i32x4(x, mantissa), i64x2_extmul_high_i32x4(x, mantissa))
}

/// The high halves of the products of unsigned lanes.
#[inline(always)]
fn multiply_high_unsigned(x: v128, factor: &v128) -> v128 {
    let factor = again(factor);
    i32x4_shuffle::<1, 3, 5, 7>(u64x2_extmul_low_u32x4(x, factor), u64x2_extmul_high_u32x4(x, factor))
}

/// One multiplier below 1/4 for all lanes.
#[derive(Clone, Copy)]
pub(super) struct Rescale {
    mantissa: v128,
    half: v128,
    right: u32,
}

impl Rescale {
    /// From a mantissa and `n - 32`, in [1, 31].
    pub fn new(mantissa: i32, right: u32) -> Self {
        Self { mantissa: i32x4_splat(mantissa), half: i32x4_splat(1 << (right - 1)), right }
    }

    /// A multiplier with a shift of at most -2.
    pub fn small(Multiplier { mantissa, shift }: Multiplier) -> Self {
        Self::new(mantissa, (-1 - i32::from(shift)) as u32)
    }

    /// `floor(x * m + 1/2)`.
    #[inline(always)]
    pub fn apply(&self, x: v128) -> v128 {
        i32x4_shr(i32x4_add(multiply_high(x, &self.mantissa), self.half), self.right)
    }
}

/// A multiplier below 1/4 for each of 4 lanes.
///
/// No instruction shifts each lane by as many bits as it should be. A multiplication by `2^(64-n)` and another high half do
/// the same; unsigned, for `2^31` is among the factors: `2^31` is added before, and what becomes of it taken away after.
#[derive(Clone, Copy)]
pub(super) struct RescaleEach {
    mantissa: v128,
    half: v128,
    factor: v128,
    excess: v128,
}

impl RescaleEach {
    /// Each lane's mantissa and shift.
    fn new(mantissa: v128, shift: v128) -> Self {
        // n - 32
        let right = i32x4_sub(i32x4_splat(-1), shift);
        let half = power_of_two(i32x4_sub(right, i32x4_splat(1)));
        let factor = power_of_two(i32x4_sub(i32x4_splat(32), right));
        Self { mantissa, half: i32x4_add(half, i32x4_splat(i32::MIN)), factor, excess: u32x4_shr(factor, 1) }
    }

    /// `floor(x * m + 1/2)`.
    #[inline(always)]
    pub fn apply(&self, x: v128) -> v128 {
        let raised = i32x4_add(multiply_high(x, &self.mantissa), self.half);
        i32x4_sub(multiply_high_unsigned(raised, &self.factor), self.excess)
    }
}

/// `2^exponent` of each lane.
fn power_of_two(exponent: v128) -> v128 {
    let one = |exponent: i32| 1i32.wrapping_shl(exponent as u32);
    i32x4(
        one(i32x4_extract_lane::<0>(exponent)),
        one(i32x4_extract_lane::<1>(exponent)),
        one(i32x4_extract_lane::<2>(exponent)),
        one(i32x4_extract_lane::<3>(exponent)),
    )
}

/// Bias and multiplier of `4 Q` channels.
pub(super) struct Channels<const Q: usize> {
    pub bias: [v128; Q],
    pub rescale: [RescaleEach; Q],
}

impl<const Q: usize> Channels<Q> {
    /// Those from `first` on; where there are fewer, the others are anything.
    ///
    /// # Safety
    /// There are at least `count`, and constants of all of them.
    pub unsafe fn new(channels: &PerChannel<'_>, first: usize, count: usize) -> Self {
        let PerChannel { bias, mantissa, shift, .. } = *channels;
        // SAFETY: see above.
        unsafe {
            if count >= 4 * Q {
                return Self::load(
                    bias.as_ptr().add(first),
                    mantissa.as_ptr().add(first),
                    shift.as_ptr().add(first),
                );
            }
        }
        let (mut biases, mut mantissas, mut shifts) = ([[0; 4]; 16], [[0; 4]; 16], [0; 16]);
        biases[..count].copy_from_slice(&bias[first..first + count]);
        mantissas[..count].copy_from_slice(&mantissa[first..first + count]);
        shifts[..count].copy_from_slice(&shift[first..first + count]);
        // SAFETY: there are 16.
        unsafe { Self::load(biases.as_ptr(), mantissas.as_ptr(), shifts.as_ptr()) }
    }

    /// # Safety
    /// There are `4 Q` of each.
    unsafe fn load(bias: *const Word, mantissa: *const Word, shift: *const i8) -> Self {
        let zero = i32x4_splat(0);
        let mut channels = Self { bias: [zero; Q], rescale: [RescaleEach::new(zero, zero); Q] };
        for quad in 0..Q {
            // SAFETY: see above.
            unsafe {
                channels.bias[quad] = v128_load(bias.add(4 * quad).cast());
                let shifts = v128_load32_zero(shift.add(4 * quad).cast());
                let shifts = i32x4_extend_low_i16x8(i16x8_extend_low_i8x16(shifts));
                channels.rescale[quad] = RescaleEach::new(v128_load(mantissa.add(4 * quad).cast()), shifts);
            }
        }
        channels
    }
}

/// The end of an output: zero point and clamp.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    zero_point: v128,
    min: v128,
    max: v128,
}

impl Finish {
    pub fn new(zero_point: i8, activation: Activation) -> Self {
        Self {
            zero_point: i16x8_splat(zero_point.into()),
            min: i8x16_splat(activation.min),
            max: i8x16_splat(activation.max),
        }
    }

    /// 8 values plus the zero point, 16 bits wide.
    ///
    /// Saturation changes nothing: what it cuts off is beyond the clamp with and without the zero point.
    #[inline(always)]
    pub fn eight(&self, a: v128, b: v128) -> v128 {
        i16x8_add_sat(i16x8_narrow_i32x4(a, b), self.zero_point)
    }

    /// 16 values, clamped.
    #[inline(always)]
    pub fn sixteen(&self, a: v128, b: v128) -> v128 {
        i8x16_min(i8x16_max(i8x16_narrow_i16x8(a, b), self.min), self.max)
    }
}
