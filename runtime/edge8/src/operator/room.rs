//! The memory that operators run in.

use crate::error::Problem;
use crate::tensor::Tensor;

/// The arena: scratch bytes, then tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Bytes of all.
    pub(crate) arena_len: u32,
    /// Bytes at the begin in which kernels work.
    pub(crate) scratch_len: u32,
}

impl Room {
    /// Whether a tensor lies in the arena behind the scratch bytes.
    #[cfg_attr(device, inline(never))]
    pub(crate) fn holds(&self, tensor: &Tensor) -> bool {
        let range = tensor.range();
        range.start >= self.scratch_len as usize && range.end <= self.arena_len as usize
    }

    /// Proves that a tensor is valid and lies in it.
    ///
    /// # Errors
    /// If it is not so.
    #[cfg_attr(device, inline(never))]
    pub(crate) fn check(self, tensor: &Tensor) -> Result<(), Problem> {
        if !tensor.is_valid() {
            Err(Problem::Tensor)
        } else if !self.holds(tensor) {
            Err(Problem::OutsideArena)
        } else {
            Ok(())
        }
    }
}
