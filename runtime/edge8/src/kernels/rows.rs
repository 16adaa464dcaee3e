//! The rows of a map that an operator reads.

use crate::slices::part;
use crate::tensor::Tensor;

/// The rows of a tensor that the arena keeps.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    values: &'a [i8],
    tensor: &'a Tensor,
}

impl<'a> Rows<'a> {
    /// The rows of `tensor`, whose part of the arena is `values`.
    pub const fn new(tensor: &'a Tensor, values: &'a [i8]) -> Self {
        Self { values, tensor }
    }

    /// Row `y`, `[width][channels]`: the one written last of those that share its place.
    #[cfg_attr(device, inline(never))]
    pub fn row(&self, y: usize) -> &'a [i8] {
        let row_len = self.tensor.row_len();
        part(self.values, self.tensor.slot(y).wrapping_mul(row_len), row_len)
    }
}
