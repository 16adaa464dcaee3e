//! Eight lanes of f32 in a register of AVX2.

use super::vector::Vector;
use std::arch::x86_64::*;

/// AVX2 with fused multiply-add, and 16 registers, or 32 with AVX-512.
#[derive(Clone, Copy)]
pub(crate) struct Avx2<const REGISTERS: usize>(__m256);

// SAFETY: the caller of every method promises AVX2, FMA and valid pointers.
#[allow(clippy::undocumented_unsafe_blocks)] // The line above holds for each block.
unsafe impl<const REGISTERS: usize> Vector for Avx2<REGISTERS> {
    const REGISTERS: usize = REGISTERS;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self(unsafe { _mm256_set1_ps(value) })
    }
    #[inline(always)]
    unsafe fn load(source: *const f32) -> Self {
        Self(unsafe { _mm256_loadu_ps(source) })
    }
    #[inline(always)]
    unsafe fn store(self, target: *mut f32) {
        unsafe { _mm256_storeu_ps(target, self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm256_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, addend.0) })
    }
    #[inline(always)]
    unsafe fn relu6(self) -> Self {
        let above = unsafe { _mm256_max_ps(self.0, _mm256_setzero_ps()) };
        Self(unsafe { _mm256_min_ps(above, _mm256_set1_ps(6.0)) })
    }
    #[inline(always)]
    unsafe fn relu6_mask(self, gradient: Self) -> Self {
        let above = unsafe { _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, _mm256_setzero_ps()) };
        let below = unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, _mm256_set1_ps(6.0)) };
        Self(unsafe { _mm256_and_ps(_mm256_and_ps(above, below), gradient.0) })
    }
}
