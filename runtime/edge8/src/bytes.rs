//! Little-endian fields at a byte offset; [`None`] beyond the end, never a panic.

/// `N` bytes from `at` on.
#[inline]
fn array<const N: usize>(record: &[u8], at: usize) -> Option<[u8; N]> {
    record.get(at..)?.first_chunk().copied()
}

#[inline]
pub(crate) fn u8(record: &[u8], at: usize) -> Option<u8> {
    record.get(at).copied()
}

#[inline]
pub(crate) fn i8(record: &[u8], at: usize) -> Option<i8> {
    array(record, at).map(i8::from_le_bytes)
}

#[inline]
pub(crate) fn u16(record: &[u8], at: usize) -> Option<u16> {
    array(record, at).map(u16::from_le_bytes)
}

#[inline]
pub(crate) fn u32(record: &[u8], at: usize) -> Option<u32> {
    array(record, at).map(u32::from_le_bytes)
}

#[inline]
pub(crate) fn i32(record: &[u8], at: usize) -> Option<i32> {
    array(record, at).map(i32::from_le_bytes)
}

/// The bytes `offset .. offset + len`.
#[inline]
pub(crate) fn slice(bytes: &[u8], offset: u32, len: usize) -> Option<&[u8]> {
    bytes.get(offset as usize..)?.get(..len)
}
