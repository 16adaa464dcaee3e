//! Eight lanes of f32: every channel count of the network is a multiple of eight.
//!
//! A kernel is written once over [`Vector`] and instantiated for each instruction set by [`multiversion!`].

/// Lanes of a [`Vector`].
pub(crate) const LANES: usize = 8;

/// Eight f32 lanes.
///
/// # Safety
/// The methods of an implementation may only be called when the processor has its instruction set; `load` and `store`
/// need eight readable or writable values at the pointer, of any alignment.
pub(crate) unsafe trait Vector: Copy {
    /// How many the processor holds.
    const REGISTERS: usize;
    /// All lanes `value`.
    unsafe fn splat(value: f32) -> Self;
    /// The eight values from `source` on.
    unsafe fn load(source: *const f32) -> Self;
    /// Writes the lanes to `target`.
    unsafe fn store(self, target: *mut f32);
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;
    /// `self - other`.
    unsafe fn sub(self, other: Self) -> Self;
    /// `self * factor + addend`.
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// Limits every lane to 0..=6 (ReLU6).
    unsafe fn relu6(self) -> Self;
    /// `gradient` where `0 < self < 6`, otherwise 0: the derivative of ReLU6, from its output.
    unsafe fn relu6_mask(self, gradient: Self) -> Self;
}

/// Plain Rust, for every processor.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

// SAFETY: needs no instruction set; the pointers are the caller's promise.
unsafe impl Vector for Portable {
    const REGISTERS: usize = 16;
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    unsafe fn load(source: *const f32) -> Self {
        // SAFETY: the caller promises eight readable values.
        Self(unsafe { source.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, target: *mut f32) {
        // SAFETY: the caller promises eight writable values.
        unsafe { target.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
        // Two roundings on purpose: a fused multiply-add without the instruction is a slow library call.
        self.zip(factor, |a, b| a * b).zip(addend, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn relu6(self) -> Self {
        Self(self.0.map(|value| value.clamp(0.0, 6.0)))
    }
    #[inline(always)]
    unsafe fn relu6_mask(self, gradient: Self) -> Self {
        self.zip(gradient, |output, gradient| if output > 0.0 && output < 6.0 { gradient } else { 0.0 })
    }
}

/// Defines a function that runs a generic kernel with the best instruction set the processor has.
///
/// The kernel is an `unsafe fn` over `V: Vector`; its only demand on the wrapper may be the instruction set, so it has
/// to check lengths itself.
macro_rules! multiversion {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) = $kernel:ident) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                unsafe fn avx2($($argument: $type),*) {
                    // SAFETY: this function is only called where AVX2 and FMA were detected.
                    unsafe { $kernel::<$crate::ops::avx2::Avx2<16>>($($argument),*) }
                }
                #[target_feature(enable = "avx2,fma,avx512f,avx512vl")]
                #[allow(clippy::too_many_arguments)]
                unsafe fn avx512vl($($argument: $type),*) {
                    // The same lanes with 32 registers instead of 16.
                    // SAFETY: this function is only called where these features were detected.
                    unsafe { $kernel::<$crate::ops::avx2::Avx2<32>>($($argument),*) }
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the features were detected just now.
                    return unsafe {
                        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                            avx512vl($($argument),*)
                        } else {
                            avx2($($argument),*)
                        }
                    };
                }
            }
            // SAFETY: the portable vector needs no instruction set.
            unsafe { $kernel::<$crate::ops::vector::Portable>($($argument),*) }
        }
    };
}
pub(crate) use multiversion;
