//! The rows of a map that an operator reads.

use crate::slices::part;
use crate::tensor::Tensor;

/// The rows of a tensor that the arena keeps.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    values: &'a [i8],
    row_len: usize,
    kept: usize,
}

impl<'a> Rows<'a> {
    /// The rows of `tensor`, whose part of the arena is `values`.
    pub fn new(tensor: &Tensor, values: &'a [i8]) -> Self {
        Self { values, row_len: tensor.row_len(), kept: tensor.rows.into() }
    }

    /// Row `y`, `[width][channels]`: the one written last of those that share its place.
    pub fn row(&self, y: usize) -> &'a [i8] {
        part(self.values, y.checked_rem(self.kept).unwrap_or(0).wrapping_mul(self.row_len), self.row_len)
    }
}
