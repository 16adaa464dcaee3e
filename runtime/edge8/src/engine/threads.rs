//! The rows of a large step on several threads.

use super::arena::Arena;
use super::{Code, Workers};
use crate::operator::Operator;
use core::ops::Range;

/// Threads to compute on. The library has none of its own: a program lends it some, of a pool as a rule.
pub trait Threads: Sync {
    /// How many there are, the calling one among them; 0 counts as 1.
    fn count(&self) -> usize;

    /// Calls both functions, each once, and returns when both have returned. The first is for the calling thread, the
    /// second for any other that is free meanwhile.
    fn join(&self, here: impl FnOnce() + Send, elsewhere: impl FnOnce() + Send);
}

/// Multiply-accumulates that a thread gets at least. The fastest kernels take 2 to 3 microseconds for them; a step that is
/// shared takes about 2 more than its share, of a thread that is awake.
const LEAST: u64 = 1 << 18;

/// Multiply-accumulates that take as long as the rest of the work on one value of an output: a sum and a pool have no others,
/// a depthwise convolution few.
const MACS_OF_VALUE: u64 = 32;

/// Bytes of a cache line: two threads that write to the same one wait for each other.
const LINE: usize = 64;

/// Bytes of scratch for each thread but the calling one, which has that of the arena.
pub(crate) const fn spare_len(scratch_len: usize) -> usize {
    scratch_len.div_ceil(LINE).saturating_mul(LINE)
}

/// Threads, how many, and scratch for all but the calling one.
pub(crate) struct Lent<'a, T> {
    pub(crate) threads: &'a T,
    pub(crate) count: usize,
    pub(crate) spare: &'a mut [i8],
}

impl<T: Threads> Workers for Lent<'_, T> {
    fn compute(
        &mut self,
        code: &Code,
        operator: &Operator<'_>,
        arena: &Arena<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        let parts = parts(operator, rows.len()).min(self.count);
        let step = Step { code, threads: self.threads, operator, arena };
        step.split(parts, rows, output, [scratch, self.spare]);
    }
}

/// One step that is computed in parts.
struct Step<'a, 'b, T> {
    code: &'a Code,
    threads: &'a T,
    operator: &'a Operator<'b>,
    arena: &'a Arena<'a>,
}

impl<T: Threads> Step<'_, '_, T> {
    /// Hands over the last of some parts, then the last of those that are left, so that all wait for a thread at once; the
    /// first is for the calling thread.
    fn split(&self, parts: usize, rows: Range<usize>, output: &mut [i8], [scratch, spare]: [&mut [i8]; 2]) {
        if parts <= 1 {
            return self.code.run(self.operator, self.arena, rows, output, scratch);
        }
        let middle = rows.end - rows.len() / parts;
        let values = (middle - rows.start) * self.operator.output().row_len();
        let Some((output, last)) = output.split_at_mut_checked(values) else { return };
        let Some((own, spare)) = spare.split_at_mut_checked(spare_len(scratch.len())) else { return };
        self.threads.join(
            || self.split(parts - 1, rows.start..middle, output, [scratch, spare]),
            || self.code.run(self.operator, self.arena, middle..rows.end, last, own),
        );
    }
}

/// How many parts of some rows are large enough for a thread, at least 1.
fn parts(operator: &Operator<'_>, rows: usize) -> usize {
    if rows <= 1 || !operator.works_by_rows() {
        return 1;
    }
    let shape = operator.output().shape;
    let work = operator.macs().saturating_add((shape.len() as u64).saturating_mul(MACS_OF_VALUE));
    let parts = (work / u64::from(shape.height).max(1)).saturating_mul(rows as u64) / LEAST;
    usize::try_from(parts).unwrap_or(rows).clamp(1, rows)
}
