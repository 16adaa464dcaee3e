//! What the engine, the image and the quantizer know of a kind of operator: all of it stands in the file of the kind.

use super::fields::Record;
use super::reads::Reads;
use super::rescale::PerChannel;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::tensor::Tensor;

/// A kind of operator. Its number stands in the list of `operators!`; how it is run, in `engine/run.rs`.
pub trait Kind<'a>: Sized {
    /// The name as in TensorFlow Lite.
    const NAME: &'static str;

    /// Where its record has the tensor record of the output.
    const OUTPUT: usize;

    /// Whether a row of the output depends on some rows of the inputs only, so that it can be computed before the others.
    const BY_ROWS: bool;

    /// Whether the output may be written over the first input.
    const IN_PLACE: bool = false;

    /// Reads a record. `section` is the image's weights section.
    ///
    /// # Errors
    /// A [`Problem`] if what the record refers to does not exist.
    fn decode(record: &Record, section: &'a [u8]) -> Result<Self, Problem>;

    /// Writes what its record has beside the kind's number; `at` is where its weights and its constants, or its values, begin
    /// in the weights section.
    fn encode(&self, record: &mut Record, at: [u32; 2]);

    /// Proves that the kernels can run it: shapes belong together, nothing overflows, each number is in its range.
    ///
    /// # Errors
    /// The first [`Problem`] found.
    fn check(&self) -> Result<(), Problem>;

    /// An input; [`None`] beyond the last.
    fn input(&self, index: usize) -> Option<&Tensor>;

    /// The output.
    fn output(&self) -> &Tensor;

    /// Which rows of the inputs a row of the output is made from.
    #[inline]
    fn reads(&self) -> Reads {
        if Self::BY_ROWS { Reads::Same } else { Reads::All }
    }

    /// How many of some rows can be computed at once: of the inputs that the kernel reads as they lie in the arena, as many as
    /// lie side by side from `row` on.
    fn side_by_side(&self, row: usize, rows: usize) -> usize;

    /// The range that the fused activation leaves.
    fn activation(&self) -> Activation {
        Activation::NONE
    }

    /// The weights and the per-channel constants.
    fn filter(&self) -> Option<(&'a [i8], PerChannel<'a>)> {
        None
    }

    /// Bytes that it claims of the weights section.
    fn parameter_len(&self) -> usize {
        self.filter().map_or(0, |(weights, channels)| weights.len().wrapping_add(channels.byte_len()))
    }

    /// Bytes in which a kernel may work, at least.
    fn scratch_len(&self) -> usize {
        0
    }

    /// As many as the quantizer plans.
    fn scratch_at_best(&self) -> usize {
        self.scratch_len()
    }

    /// Multiply-accumulates of one inference, taps in the padding included.
    fn macs(&self) -> u64 {
        0
    }
}
