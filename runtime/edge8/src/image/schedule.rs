//! Which rows of which operator are computed when.

use crate::bytes;
use crate::error::Error;
use crate::format::{STEP_LEN, section};
use core::ops::Range;

/// A step: one operator computes some rows of its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Index of the operator.
    pub operator: usize,
    /// Rows of its output.
    pub rows: Range<usize>,
}

/// The schedule of an image: steps of 6 bytes, `u16` operator, `u16` first row, `u16` number of rows.
///
/// The quantizer's planner chose it: row by row where the maps are large, so that only the rows in use are kept, and
/// whole maps elsewhere. The runtime follows it and knows of no fusion.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    steps: &'a [[u8; STEP_LEN]],
}

impl<'a> Steps<'a> {
    pub(crate) fn parse(content: &'a [u8]) -> Result<Self, Error> {
        match content.as_chunks() {
            (steps, []) => Ok(Self { steps }),
            _ => Err(Error::SectionContent { kind: section::SCHEDULE }),
        }
    }
}

impl Iterator for Steps<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let (step, rest) = self.steps.split_first()?;
        self.steps = rest;
        let field = |at| bytes::u16(step, at).map(usize::from);
        let (operator, first, rows) = (field(0)?, field(2)?, field(4)?);
        Some(Step { operator, rows: first..first.wrapping_add(rows) })
    }
}
