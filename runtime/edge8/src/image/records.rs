//! The operator records, one after the other.

use super::header::Header;
use super::schedule::{Step, Steps};
use crate::bytes;
use crate::error::{Error, Problem};
use crate::operator::{ALL_KINDS, Kinds, Operator, Record};
use crate::slices::not_unrolled;

/// The operators of a model in the order of their records, decoded on the way.
#[derive(Clone, Copy, Debug)]
pub struct Operators<'a> {
    records: &'a [Record],
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
        self.decode(index).ok()
    }

    /// As [`get`](Self::get), without the copy to another type that this is on a device.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    pub(crate) fn decode(&self, index: usize) -> Result<Operator<'a>, Problem> {
        Operator::decode::<ALL_KINDS>(self.records.get(index).ok_or(Problem::RecordLength)?, self.weights)
    }

    /// As [`decode`](Self::decode), by a function for the kinds that a program has.
    #[cfg(device)]
    pub(crate) fn decode_by(
        &self,
        decode: fn(&Record, &'a [u8]) -> Result<Operator<'a>, Problem>,
        index: usize,
    ) -> Result<Operator<'a>, Problem> {
        decode(self.records.get(index).ok_or(Problem::RecordLength)?, self.weights)
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

/// Checks each record, that it is of one of the `KINDS`, that there are as many as the header says, and that each of the network's
/// outputs is an operator's, the last one's among them.
///
/// The time is bounded by the image's length: operators that together claim more weights than there are, and could
/// be scanned without end, are refused.
pub(crate) fn check_operators<const KINDS: Kinds>(
    operators: &Operators<'_>,
    header: &Header<'_>,
) -> Result<(), Error> {
    let found = operators.len() as u32;
    if found != header.operators {
        return Err(Error::OperatorCount { expected: header.operators, found });
    }
    let mut unclaimed = operators.weights.len();
    let mut ends = false;
    // A bit for each output that no operator has written yet.
    let mut missing = u64::MAX >> (64usize.wrapping_sub(header.outputs.count()) & 63);
    for (index, record) in (0u32..).zip(operators.records) {
        let fail = |problem| Error::Operator { index, problem };
        let operator = Operator::decode::<KINDS>(record, operators.weights);
        let operator = operator.as_ref().map_err(|&problem| fail(problem))?;
        unclaimed = unclaimed.checked_sub(operator.parameter_len()).ok_or(fail(Problem::Weights))?;
        operator.check::<KINDS>(record, header.room).map_err(fail)?;
        // Of one output it is the last operator's.
        let last = index + 1 == found;
        if last || header.outputs.count() > 1 {
            let place = header.outputs.position(operator.output());
            ends = place.is_some();
            if let Some(place) = place {
                missing &= !1u64.wrapping_shl(place);
            }
        }
    }
    if ends && missing == 0 { Ok(()) } else { Err(Error::Endpoint) }
}

/// Checks that each step computes rows that its operator has, all of them at once where it cannot work by rows, and that all
/// steps together compute as many rows as all operators have: a run takes no longer than its operators say.
///
/// That each row is computed once, and after what it is made from, is the quantizer's word, as the weights are.
pub(crate) fn check_steps(steps: Steps<'_>, operators: &Operators<'_>) -> Result<(), Error> {
    let mut found = 0u64;
    for (index, Step { operator, rows }) in (0..).zip(steps) {
        not_unrolled();
        let right = operators.records.get(operator).is_some_and(|record| {
            let height = height(record);
            !rows.is_empty()
                && rows.end <= height
                && (rows.len() == height || Operator::record_works_by_rows(record))
        });
        if !right {
            return Err(Error::Step { index });
        }
        // Fewer than 2^32 steps of fewer than 2^16 rows.
        found = found.wrapping_add(rows.len() as u64);
    }
    let expected = operators.records.iter().fold(0, |rows, record| {
        not_unrolled();
        rows + height(record) as u64
    });
    if found == expected { Ok(()) } else { Err(Error::Schedule { expected, found }) }
}

/// Rows of a checked record's output, without the time that decoding takes.
fn height(record: &Record) -> usize {
    bytes::u16(record, Operator::output_of(record) + 4).map_or(0, usize::from)
}
