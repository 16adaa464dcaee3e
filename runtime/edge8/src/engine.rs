//! The executor: a loop over the steps of the schedule. It knows no network by name, and no fusion.

#[cfg(not(target_os = "none"))]
mod decoded;
#[cfg(not(target_os = "none"))]
pub(crate) mod threads;

#[cfg(target_os = "none")]
use crate::error::Problem;
use crate::image::layout::operator as kind;
use crate::image::{Operators, Steps};
use crate::kernels::{KernelSet, Kernels, Rows, each_row, of_set};
#[cfg(target_os = "none")]
use crate::operator::Record;
use crate::operator::{Add, Kinds, Operator, has};
use crate::slices::{copy, part};
use crate::tensor::Tensor;
use core::ops::Range;
#[cfg(not(target_os = "none"))]
use decoded::Decoded;

/// Some rows of an operator's output, as they have just been computed.
#[derive(Debug)]
pub struct Computed<'a, 'b> {
    /// Index of the operator.
    pub index: usize,
    /// The operator.
    pub operator: &'a Operator<'b>,
    /// The rows. Of an image that the quantizer made every row of every operator comes once, those of one in order.
    pub rows: Range<usize>,
    /// Their values, channels last.
    pub values: &'a [i8],
}

/// Computes some rows of one operator: their values, with scratch bytes to work in.
pub(crate) type Run = fn(&Operator<'_>, &Arena<'_>, Range<usize>, &mut [i8], &mut [i8]);

/// What a program has to run a model with. A model carries it along, so that nothing else is part of the program: no kernel sets
/// but those named, where the best one is known at compile time, and no operators but those of some kinds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    pub(crate) kinds: Kinds,
    /// Reads a record.
    #[cfg(target_os = "none")]
    decode: for<'a> fn(&Record, &'a [u8]) -> Result<Operator<'a>, Problem>,
    run: Run,
}

impl Code {
    /// For some kinds of operators, with one kernel set.
    #[inline(always)]
    pub(crate) fn new<const KINDS: Kinds>(kernels: KernelSet) -> Self {
        Self {
            kinds: KINDS,
            #[cfg(target_os = "none")]
            decode: |record, weights| Operator::decode::<KINDS>(record, weights),
            run: of_set!(kernels, run, KINDS),
        }
    }
}

/// Who computes the rows of a step.
pub(crate) trait Workers {
    /// Calls `run` once with all rows, or with parts of them that make up the whole.
    fn compute(
        &mut self,
        run: Run,
        operator: &Operator<'_>,
        arena: &Arena<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    );
}

/// The calling thread.
pub(crate) struct Alone;

impl Workers for Alone {
    #[inline(always)]
    fn compute(
        &mut self,
        run: Run,
        operator: &Operator<'_>,
        arena: &Arena<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        run(operator, arena, rows, output, scratch);
    }
}

/// Runs checked steps of checked operators on an arena that already holds the input.
pub(crate) fn execute(
    code: Code,
    operators: Operators<'_>,
    steps: Steps<'_>,
    [scratch, arena]: [&mut [i8]; 2],
    mut workers: impl Workers,
    mut observe: impl FnMut(Computed<'_, '_>),
) {
    #[cfg(not(target_os = "none"))]
    let mut decoded = Decoded::new(operators);
    for step in steps {
        #[cfg(not(target_os = "none"))]
        let Some(operator) = decoded.get(step.operator) else { return };
        // A device has no stack for a second operator.
        #[cfg(target_os = "none")]
        let operator = &operators.decode_by(code.decode, step.operator);
        #[cfg(target_os = "none")]
        let Ok(operator) = operator else { return };
        let (mut row, end) = (step.rows.start, step.rows.end);
        while row < end {
            let rows = row..row + contiguous(operator, row, end - row);
            let Some((arena, output)) = Arena::beside(operator.output(), &rows, scratch.len(), arena) else {
                return;
            };
            workers.compute(code.run, operator, &arena, rows.clone(), output, scratch);
            observe(Computed { index: step.operator, operator, rows: rows.clone(), values: output });
            row = rows.end;
        }
    }
}

/// How many of some rows can be computed at once: they lie side by side in the output, and in the inputs where those are
/// read as they lie.
fn contiguous(operator: &Operator<'_>, row: usize, rows: usize) -> usize {
    if rows <= 1 {
        return 1;
    }
    let rows = operator.output().place(row, rows).1;
    let rows = match operator {
        Operator::Convolution(op) if op.is_pointwise() => op.input.place(row, rows).1,
        Operator::Add(op) => {
            let rows = op.first.tensor.place(row, rows).1;
            // A repeated row, or one that is shorter and repeated, is added to a row at a time.
            if op.second.tensor.shape == op.output.shape {
                op.second.tensor.place(row, rows).1
            } else {
                rows.min(1)
            }
        }
        _ => rows,
    };
    rows.max(1)
}

/// Some rows of one operator with the kernels of `K`.
fn run<K: Kernels, const KINDS: Kinds>(
    operator: &Operator<'_>,
    arena: &Arena<'_>,
    rows: Range<usize>,
    output: &mut [i8],
    scratch: &mut [i8],
) {
    match operator {
        Operator::Convolution(op) if has(KINDS, kind::CONVOLUTION) && op.is_pointwise() => {
            K::product(&op.matrix(), arena.lying(&op.input, &rows), output, scratch);
        }
        Operator::Convolution(op) if has(KINDS, kind::CONVOLUTION) => {
            K::convolution(op, arena.rows(&op.input), rows, output, scratch);
        }
        Operator::Depthwise(op) if has(KINDS, kind::DEPTHWISE) => {
            K::depthwise(op, arena.rows(&op.input), rows, output, scratch);
        }
        Operator::FullyConnected(op) if has(KINDS, kind::FULLY_CONNECTED) => {
            let (matrix, input) = (op.matrix(), arena.whole(&op.input));
            if input.len() == matrix.depth {
                K::product(&matrix, input, output, scratch);
            } else if let Some((patch, scratch)) = scratch.split_at_mut_checked(matrix.depth) {
                copy(patch, input);
                K::product(&matrix, patch, output, scratch);
            }
        }
        Operator::Add(op) if has(KINDS, kind::ADD) => {
            copy(output, arena.lying(&op.first.tensor, &rows));
            add::<K>(op, arena, rows, output);
        }
        Operator::Mean(op) if has(KINDS, kind::MEAN) => K::mean(op, arena.whole(&op.input), output),
        Operator::Softmax(op) if has(KINDS, kind::SOFTMAX) => {
            copy(output, arena.whole(&op.input));
            K::softmax(op, output);
        }
        Operator::AveragePool(op) if has(KINDS, kind::AVERAGE_POOL) => {
            each_row(&op.output, rows, output, |y, row| K::average_pool(op, arena.rows(&op.input), y, row));
        }
        Operator::MaxPool(op) if has(KINDS, kind::MAX_POOL) => {
            each_row(&op.output, rows, output, |y, row| K::max_pool(op, arena.rows(&op.input), y, row));
        }
        Operator::Pad(op) if has(KINDS, kind::PAD) => K::pad(op, arena.whole(&op.input), output),
        Operator::Constant(op) if has(KINDS, kind::CONSTANT) => K::constant(op, output),
        _ => {}
    }
}

/// A sum: rows that lie in the second input as they do in the output, or one row of which something is repeated.
fn add<K: Kernels>(op: &Add, arena: &Arena<'_>, rows: Range<usize>, values: &mut [i8]) {
    let (second, whole) = (&op.second.tensor, op.output.shape);
    if second.shape == whole {
        return K::add(op, arena.lying(second, &rows), values);
    }
    let row = if second.shape.height == 1 { 0 } else { rows.start };
    let row = arena.rows(second).row(row);
    if second.shape.width == 1 || second.shape.channels == whole.channels {
        return K::add(op, row, values);
    }
    for (pixel, one) in values.chunks_exact_mut(usize::from(whole.channels).max(1)).zip(row.chunks(1)) {
        K::add(op, one, pixel);
    }
}

/// The arena on both sides of the rows that are computed: where inputs can lie.
pub(crate) struct Arena<'a> {
    before: &'a [i8],
    after: &'a [i8],
    /// Where both begin, counted from the scratch bytes on.
    starts: [usize; 2],
}

impl<'a> Arena<'a> {
    /// Splits the arena around rows of the output; [`None`] if those lie outside, which a checked operator's do not.
    fn beside(
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
    fn lying(&self, tensor: &Tensor, rows: &Range<usize>) -> &'a [i8] {
        self.get(tensor.place(rows.start, rows.len()).0)
    }

    /// All rows that the arena keeps.
    fn rows<'b>(&self, tensor: &'b Tensor) -> Rows<'b>
    where
        'a: 'b,
    {
        Rows::new(tensor, self.get(tensor.range()))
    }

    /// A tensor that is kept as a whole.
    fn whole(&self, tensor: &Tensor) -> &'a [i8] {
        self.get(tensor.range())
    }
}
