//! What this processor and its operating system run, asked of the processor itself: the library has no standard library
//! to ask.

use core::arch::x86_64::{__cpuid, __cpuid_count, __get_cpuid_max, _xgetbv};

/// Whether AVX-512 F, BW, DQ, VL and VNNI may be used.
pub fn has_avx512_vnni() -> bool {
    const OPMASK_AND_ZMM: u64 = 0xe6;
    /// F, DQ, BW, VL.
    const EBX: u32 = 1 << 16 | 1 << 17 | 1 << 30 | 1 << 31;
    const ECX_VNNI: u32 = 1 << 11;
    let features = extended_features();
    saved_registers() & OPMASK_AND_ZMM == OPMASK_AND_ZMM
        && features[0] & EBX == EBX
        && features[1] & ECX_VNNI != 0
}

/// Whether AVX2 may be used.
pub fn has_avx2() -> bool {
    const XMM_AND_YMM: u64 = 0x6;
    const EBX: u32 = 1 << 5;
    saved_registers() & XMM_AND_YMM == XMM_AND_YMM && extended_features()[0] & EBX == EBX
}

/// EBX and ECX of leaf 7, 0 where there is none.
fn extended_features() -> [u32; 2] {
    if __get_cpuid_max(0).0 < 7 {
        return [0; 2];
    }
    let leaf = __cpuid_count(7, 0);
    [leaf.ebx, leaf.ecx]
}

/// The registers that the operating system saves (XCR0), 0 where it saves none.
fn saved_registers() -> u64 {
    const ECX_OSXSAVE: u32 = 1 << 27;
    if __cpuid(1).ecx & ECX_OSXSAVE == 0 {
        return 0;
    }
    // SAFETY: OSXSAVE says that the system has enabled XGETBV.
    unsafe { xcr0() }
}

#[target_feature(enable = "xsave")]
fn xcr0() -> u64 {
    // SAFETY: the feature is there, and register 0 always is.
    unsafe { _xgetbv(0) }
}
