//! The operator records, one after the other.

use super::bytes;
use super::header::Header;
use super::layout::record;
use crate::error::{Error, Problem};
use crate::operator::Operator;

/// The operators of a model in the order of execution, decoded on the way.
#[derive(Clone, Debug)]
pub struct Operators<'a> {
    records: &'a [u8],
    weights: &'a [u8],
}

impl<'a> Operators<'a> {
    pub(crate) fn new(records: &'a [u8], weights: &'a [u8]) -> Self {
        Self { records, weights }
    }

    /// Cuts off the next record; [`None`] at the end or where no whole record is left.
    fn next_record(&mut self) -> Option<Result<Operator<'a>, Problem>> {
        let len = usize::from(bytes::u16(self.records, record::LEN)?);
        let (record, rest) = self.records.split_at_checked(len)?;
        if len < record::INPUT || !len.is_multiple_of(4) {
            return Some(Err(Problem::RecordLength));
        }
        self.records = rest;
        Some(Operator::decode(record, self.weights))
    }
}

impl<'a> Iterator for Operators<'a> {
    type Item = Operator<'a>;

    /// The next operator. In a parsed model none is left out: all have been decoded before.
    fn next(&mut self) -> Option<Self::Item> {
        self.next_record()?.ok()
    }
}

/// Checks each record, that there are as many as the header says and nothing else, and that the last one's output is
/// the network's.
///
/// The time is bounded by the image's length: operators that together claim more weights than there are, and could
/// be scanned without end, are refused.
pub(crate) fn check_operators(mut operators: Operators<'_>, header: &Header) -> Result<(), Error> {
    let mut unclaimed = operators.weights.len();
    let mut found = 0;
    let mut last = None;
    while let Some(decoded) = operators.next_record() {
        let fail = |problem| Error::Operator { index: found, problem };
        let operator = decoded.map_err(fail)?;
        unclaimed = unclaimed.checked_sub(operator.parameter_len()).ok_or(fail(Problem::Weights))?;
        operator.check(header.arena_len as usize).map_err(fail)?;
        found = found.wrapping_add(1);
        last = Some(*operator.output());
    }
    if !operators.records.is_empty() {
        return Err(Error::Operator { index: found, problem: Problem::RecordLength });
    }
    if found != header.operators {
        return Err(Error::OperatorCount { expected: header.operators, found });
    }
    if last == Some(header.output) { Ok(()) } else { Err(Error::Endpoint) }
}
