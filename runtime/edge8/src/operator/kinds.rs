//! Sets of operator kinds: what a program is built for.

/// A set of operator kinds, bit `k` for kind `k`; bit 0 is for operators of any kind in forms that only the scalar kernels are
/// for.
pub type Kinds = u64;

/// The bit of forms that are not usual, see [`Kind::is_usual`](super::Operator::is_usual).
pub(crate) const UNUSUAL: u16 = 0;

/// Whether a kind is in a set.
#[inline(always)]
pub(crate) const fn has(kinds: Kinds, kind: u16) -> bool {
    kind < Kinds::BITS as u16 && kinds >> kind & 1 != 0
}
