//! Inputs as `vpdpbusd` takes them: unsigned, the same four in all lanes that multiply them.
//!
//! In assembly, for the compiler would load them into a general register first, add there, and move them.

use core::arch::asm;
use core::arch::x86_64::*;

/// The four inputs `offset` bytes behind `base` in every lane, 128 added to each.
///
/// # Safety
/// They are there.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub unsafe fn inputs(base: *const u8, offset: usize) -> __m512i {
    let four: __m512i;
    // SAFETY: reads the four bytes, which are there, and nothing else.
    unsafe {
        asm!(
            "vpxord {four}, {flip}, dword ptr [{base} + {offset}]{{1to16}}",
            four = lateout(zmm_reg) four,
            flip = in(zmm_reg) _mm512_set1_epi8(i8::MIN),
            base = in(reg) base,
            offset = in(reg) offset,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    four
}

/// As [`inputs`], of one patch in the first half and of another in the second.
///
/// # Safety
/// As of [`inputs`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub unsafe fn inputs_of_two(base: *const u8, left: usize, right: usize) -> __m512i {
    let four: __m512i;
    // SAFETY: reads four bytes twice, which are there, and nothing else.
    unsafe {
        asm!(
            "vpxord {four}, {flip}, dword ptr [{base} + {left}]{{1to16}}",
            "vpxord {four}{{{second}}}, {flip}, dword ptr [{base} + {right}]{{1to16}}",
            four = out(zmm_reg) four,
            flip = in(zmm_reg) _mm512_set1_epi8(i8::MIN),
            second = in(kreg) 0xff00u16,
            base = in(reg) base,
            left = in(reg) left,
            right = in(reg) right,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    four
}
