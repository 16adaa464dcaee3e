//! Operators that stay decoded for a while.

use crate::image::Operators;
use crate::operator::Operator;

/// Operators in decoded form: those that are streamed take turns, and decoding one takes as long as a row of a small layer.
pub struct Decoded<'a> {
    operators: Operators<'a>,
    /// Operator `i` in the place `i % SLOTS`.
    slots: [Option<Operator<'a>>; SLOTS],
    /// Their indices.
    known: [usize; SLOTS],
}

const SLOTS: usize = 16;

impl<'a> Decoded<'a> {
    /// None decoded yet.
    #[inline]
    pub fn new(operators: Operators<'a>) -> Self {
        Self { operators, slots: core::array::from_fn(|_| None), known: [usize::MAX; SLOTS] }
    }

    /// One operator; of a parsed model there is one.
    pub fn get(&mut self, index: usize) -> Option<&Operator<'a>> {
        let (known, operator) = (&mut self.known[index % SLOTS], &mut self.slots[index % SLOTS]);
        if *known != index {
            (*known, *operator) = (index, self.operators.decode(index).ok());
        }
        operator.as_ref()
    }
}
