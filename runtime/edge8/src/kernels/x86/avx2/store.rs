//! Values from a register into memory.

use core::arch::x86_64::*;

/// Stores the first `count` of 16 values.
///
/// # Safety
/// There is room for them.
#[inline]
#[target_feature(enable = "avx2")]
pub unsafe fn store(to: *mut i8, count: usize, values: __m128i) {
    // SAFETY: see above.
    unsafe {
        match count {
            16 => _mm_storeu_si128(to.cast(), values),
            8 => _mm_storel_epi64(to.cast(), values),
            count => {
                let mut bytes = [0i8; 16];
                _mm_storeu_si128(bytes.as_mut_ptr().cast(), values);
                to.copy_from_nonoverlapping(bytes.as_ptr(), count.min(16));
            }
        }
    }
}
