//! The lanes of a register: which of them hold values, and how these come in, move and go out.

use core::arch::x86_64::*;

/// Values, or channels, in a register of 32-bit lanes.
pub const LANES: usize = 16;

/// The first values of 16, at most as many as the mask has lanes; zeros in the others.
///
/// # Safety
/// There are as many.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub unsafe fn load(from: *const i8, mask: u16) -> __m128i {
    // SAFETY: the values are there. Masks are slow on some processors, and mostly full.
    unsafe { if mask == u16::MAX { _mm_loadu_si128(from.cast()) } else { _mm_maskz_loadu_epi8(mask, from) } }
}

/// Stores as many values as the mask has lanes.
///
/// # Safety
/// There is room.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub unsafe fn store(to: *mut i8, mask: u16, values: __m128i) {
    // SAFETY: there is room. Masks are slow on some processors, and mostly full.
    unsafe {
        if mask == u16::MAX {
            _mm_storeu_si128(to.cast(), values)
        } else {
            _mm_mask_storeu_epi8(to, mask, values)
        }
    }
}

/// Stores the four quarters of a register where `to` says, `count` values of each; as many quarters as there are places.
///
/// # Safety
/// There is room.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub unsafe fn scatter<const N: usize>(to: [*mut i8; N], count: usize, values: __m512i) {
    let quarters = [
        _mm512_castsi512_si128(values),
        _mm512_extracti32x4_epi32::<1>(values),
        _mm512_extracti32x4_epi32::<2>(values),
        _mm512_extracti32x4_epi32::<3>(values),
    ];
    for index in 0..N {
        // SAFETY: there is room.
        unsafe {
            match count {
                8 => _mm_storel_epi64(to[index].cast(), quarters[index]),
                count => store(to[index], first(count), quarters[index]),
            }
        }
    }
}

/// The first half of a register in both halves.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub fn twice(half: __m512i) -> __m512i {
    _mm512_shuffle_i64x2::<0b01_00_01_00>(half, half)
}

/// The lanes that hold the first `count` values.
pub const fn first(count: usize) -> u16 {
    if count >= LANES { u16::MAX } else { (1u16 << count).wrapping_sub(1) }
}

/// A mask of the first `count` bytes of 64.
pub const fn first_bytes(count: usize) -> u64 {
    if count >= 4 * LANES { u64::MAX } else { (1u64 << count).wrapping_sub(1) }
}
