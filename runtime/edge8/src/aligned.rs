//! Bytes that lie well.

/// Bytes at an address that is a multiple of 16.
///
/// ```
/// let mut arena = edge8::Aligned::<[u8; 100]>::new();
/// assert_eq!(arena.bytes().as_ptr() as usize % 16, 0);
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct Aligned<T: ?Sized>(
    /// The bytes.
    pub T,
);

impl<const N: usize> Aligned<[u8; N]> {
    /// Zeros.
    pub const fn new() -> Self {
        Self([0; N])
    }

    /// The bytes, to pass to [`Model::run`](crate::Model::run) as the arena.
    pub const fn bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl<const N: usize> Default for Aligned<[u8; N]> {
    fn default() -> Self {
        Self::new()
    }
}
