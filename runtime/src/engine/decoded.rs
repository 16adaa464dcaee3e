//! Operators that stay decoded for a while.

use crate::error::Problem;
use crate::image::Operators;
use crate::operator::Operator;

/// Operators in decoded form: those that are streamed take turns, and decoding one takes as long as a row of a small layer.
pub struct Decoded<'a> {
    operators: Operators<'a>,
    /// Operator `i` in the place `i % SLOTS`, with its index.
    slots: [(usize, Result<Operator<'a>, Problem>); SLOTS],
}

const SLOTS: usize = 16;

impl<'a> Decoded<'a> {
    /// None decoded yet.
    pub fn new(operators: Operators<'a>) -> Self {
        Self { operators, slots: [const { (usize::MAX, Err(Problem::RecordLength)) }; SLOTS] }
    }

    /// One operator.
    ///
    /// # Errors
    /// The [`Problem`] of its record; of a parsed model there is none.
    pub fn get(&mut self, index: usize) -> &Result<Operator<'a>, Problem> {
        let (known, operator) = &mut self.slots[index % SLOTS];
        if *known != index {
            (*known, *operator) = (index, self.operators.decode(index));
        }
        operator
    }
}
