//! The operator records, one after the other.

use super::header::Header;
use super::layout::RECORD_LEN;
use super::schedule::{Step, Steps};
use crate::error::{Error, Problem};
use crate::operator::{ALL_KINDS, Kinds, Operator};

/// The operators of a model in the order of their records, decoded on the way.
#[derive(Clone, Copy, Debug)]
pub struct Operators<'a> {
    records: &'a [[u8; RECORD_LEN]],
    weights: &'a [u8],
}

impl<'a> Operators<'a> {
    /// [`None`] if the records do not fill their section.
    pub(crate) fn new(records: &'a [u8], weights: &'a [u8]) -> Option<Self> {
        match records.as_chunks() {
            (records, []) => Some(Self { records, weights }),
            _ => None,
        }
    }

    /// One operator; [`None`] beyond the last. In a parsed model all can be decoded.
    ///
    /// A run decodes an operator at every step: on a PC in place, on a device, where code is dear, by calls.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    pub fn get(&self, index: usize) -> Option<Operator<'a>> {
        self.decode::<ALL_KINDS>(index).ok()
    }

    /// As [`get`](Self::get), of some kinds, without the copy to another type that this is on a device.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    pub(crate) fn decode<const KINDS: Kinds>(&self, index: usize) -> Result<Operator<'a>, Problem> {
        Operator::decode::<KINDS>(self.records.get(index).ok_or(Problem::RecordLength)?, self.weights)
    }

    /// Number of operators.
    pub const fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

impl<'a> Iterator for Operators<'a> {
    type Item = Operator<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.get(0);
        self.records = self.records.get(1..)?;
        first
    }
}

/// Checks each record, that it is of one of the `KINDS`, that there are as many as the header says, and that the last one's output is the network's.
///
/// The time is bounded by the image's length: operators that together claim more weights than there are, and could
/// be scanned without end, are refused.
pub(crate) fn check_operators<const KINDS: Kinds>(
    operators: &Operators<'_>,
    header: &Header,
) -> Result<(), Error> {
    let found = operators.len() as u32;
    if found != header.operators {
        return Err(Error::OperatorCount { expected: header.operators, found });
    }
    let mut unclaimed = operators.weights.len();
    let mut last = None;
    for (index, record) in (0..).zip(operators.records) {
        let fail = |problem| Error::Operator { index, problem };
        let operator = Operator::decode::<KINDS>(record, operators.weights).map_err(fail)?;
        unclaimed = unclaimed.checked_sub(operator.parameter_len()).ok_or(fail(Problem::Weights))?;
        operator.check::<KINDS>(header).map_err(fail)?;
        last = Some(*operator.output());
    }
    if last == Some(header.output) { Ok(()) } else { Err(Error::Endpoint) }
}

/// Checks that each step computes rows that its operator has, all of them at once where it cannot work by rows, and that all
/// steps together compute as many rows as all operators have: a run takes no longer than its operators say.
///
/// That each row is computed once, and after what it is made from, is the quantizer's word, as the weights are.
pub(crate) fn check_steps(steps: Steps<'_>, operators: &Operators<'_>) -> Result<(), Error> {
    // A step's operator is often that of the one before.
    let mut known: Option<(usize, usize, bool)> = None;
    let mut found = 0u64;
    for (index, Step { operator, rows }) in (0..).zip(steps) {
        if known.is_none_or(|(known, _, _)| known != operator) {
            known = operators.get(operator).map(|decoded| {
                (operator, usize::from(decoded.output().shape.height), decoded.works_by_rows())
            });
        }
        let right = known.is_some_and(|(_, height, by_rows)| {
            !rows.is_empty() && rows.end <= height && (by_rows || rows.len() == height)
        });
        if !right {
            return Err(Error::Step { index });
        }
        found = found.saturating_add(rows.len() as u64);
    }
    let heights = operators.map(|operator| u64::from(operator.output().shape.height));
    let expected = heights.fold(0, u64::saturating_add);
    if found == expected { Ok(()) } else { Err(Error::Schedule { expected, found }) }
}
