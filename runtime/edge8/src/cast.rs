//! The same bytes seen as signed or unsigned: the only `unsafe` outside the kernels.
#![allow(unsafe_code)]

/// Bytes as int8 values.
pub(crate) const fn as_i8(bytes: &[u8]) -> &[i8] {
    // SAFETY: u8 and i8 have the same size and alignment, every bit pattern is valid in both, and the lifetime and
    // the length are the borrowed slice's own.
    unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}

/// Bytes as int8 values, mutably.
pub(crate) const fn as_i8_mut(bytes: &mut [u8]) -> &mut [i8] {
    // SAFETY: as in `as_i8`; the exclusive borrow passes to the result.
    unsafe { core::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len()) }
}

/// int8 values as bytes, the same memory.
pub const fn as_u8(values: &[i8]) -> &[u8] {
    // SAFETY: as in `as_i8`, the other way round.
    unsafe { core::slice::from_raw_parts(values.as_ptr().cast(), values.len()) }
}

/// int8 values as bytes, the same memory, mutably.
pub const fn as_u8_mut(values: &mut [i8]) -> &mut [u8] {
    // SAFETY: as in `as_i8_mut`, the other way round.
    unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
}
