//! The arena while some of its rows are computed.

use crate::kernels::Rows;
use crate::slices::part;
use crate::tensor::Tensor;
use core::ops::Range;

/// The arena on both sides of the rows that are computed: where inputs can lie.
pub(crate) struct Arena<'a> {
    before: &'a [i8],
    after: &'a [i8],
    /// Where both begin, counted from the scratch bytes on.
    starts: [usize; 2],
}

impl<'a> Arena<'a> {
    /// Splits the arena around rows of the output; [`None`] if those lie outside, which a checked operator's do not.
    pub(crate) fn beside(
        output: &Tensor,
        rows: &Range<usize>,
        scratch_len: usize,
        arena: &'a mut [i8],
    ) -> Option<(Self, &'a mut [i8])> {
        let (range, _) = output.place(rows.start, rows.len());
        let (before, rest) = arena.split_at_mut_checked(range.start.checked_sub(scratch_len)?)?;
        let (output, after) = rest.split_at_mut_checked(range.len())?;
        Some((Self { before, after, starts: [scratch_len, range.end] }, output))
    }

    /// Bytes of the arena; none if they overlap the rows that are computed. A checked operator's inputs do so only where
    /// it works in place: then their values are in the output already.
    fn get(&self, range: Range<usize>) -> &'a [i8] {
        let [before, after] = self.starts;
        match range.start.checked_sub(after) {
            Some(start) => part(self.after, start, range.len()),
            None => part(self.before, range.start.wrapping_sub(before), range.len()),
        }
    }

    /// Rows that lie side by side.
    pub(crate) fn lying(&self, tensor: &Tensor, rows: &Range<usize>) -> &'a [i8] {
        self.get(tensor.place(rows.start, rows.len()).0)
    }

    /// All rows that the arena keeps.
    pub(crate) fn rows<'b>(&self, tensor: &'b Tensor) -> Rows<'b>
    where
        'a: 'b,
    {
        Rows::new(tensor, self.get(tensor.range()))
    }

    /// A tensor that is kept as a whole.
    pub(crate) fn whole(&self, tensor: &Tensor) -> &'a [i8] {
        self.get(tensor.range())
    }
}
