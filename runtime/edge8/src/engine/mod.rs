//! The executor: a loop over the steps of the schedule. It knows no network by name, and no fusion.

mod arena;
#[cfg(not(device))]
mod decoded;
mod run;
#[cfg(not(device))]
pub(crate) mod threads;

#[cfg(not(device))]
use crate::cast;
use crate::error::Problem;
use crate::image::{Operators, Steps};
use crate::kernels::{KernelSet, of_set};
#[cfg(not(device))]
use crate::operator::{ALL_KINDS, Room};
use crate::operator::{Kinds, Operator, Record};
use arena::Arena;
use core::ops::Range;
#[cfg(not(device))]
use decoded::Decoded;
use run::run;

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

/// Computes some rows of one operator: their values, with scratch bytes to work in. The kernel set is the one that the function
/// is for, and brings its token.
pub(crate) type Run = fn(KernelSet, &Operator<'_>, &Arena<'_>, Range<usize>, &mut [i8], &mut [i8]);

/// What a program has to run a model with. A model carries it along, so that nothing else is part of the program: no kernel sets
/// but those named, where the best one is known at compile time, and no operators but those of some kinds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    pub(crate) kinds: Kinds,
    kernels: KernelSet,
    /// Reads a record.
    #[cfg(device)]
    decode: for<'a> fn(&Record, &'a [u8]) -> Result<Operator<'a>, Problem>,
    run: Run,
}

impl Code {
    /// For some kinds of operators, with one kernel set.
    #[inline(always)]
    pub(crate) fn new<const KINDS: Kinds>(kernels: KernelSet) -> Self {
        Self {
            kinds: KINDS,
            kernels,
            #[cfg(device)]
            decode: |record, weights| Operator::decode::<KINDS>(record, weights),
            run: of_set!(kernels, run, KINDS),
        }
    }

    pub(crate) const fn kernels(&self) -> KernelSet {
        self.kernels
    }

    /// Computes some rows.
    #[inline(always)]
    fn run(
        &self,
        operator: &Operator<'_>,
        arena: &Arena<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        (self.run)(self.kernels, operator, arena, rows, output, scratch);
    }
}

/// Who computes the rows of a step.
pub(crate) trait Workers {
    /// Runs the code once with all rows, or with parts of them that make up the whole.
    fn compute(
        &mut self,
        code: &Code,
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
        code: &Code,
        operator: &Operator<'_>,
        arena: &Arena<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        code.run(operator, arena, rows, output, scratch);
    }
}

/// Computes one operator by itself, with the scalar kernels: `record` with its parameters in `section`, its tensors in `arena`
/// behind `scratch_len` bytes.
///
/// # Errors
/// The first [`Problem`] of the record.
#[cfg(not(device))]
pub fn compute(record: &Record, section: &[u8], arena: &mut [u8], scratch_len: u32) -> Result<(), Problem> {
    let operator = Operator::decode::<ALL_KINDS>(record, section)?;
    let room = Room { arena_len: u32::try_from(arena.len()).unwrap_or(u32::MAX), scratch_len };
    operator.check::<ALL_KINDS>(record, room)?;
    let code = Code::new::<ALL_KINDS>(KernelSet::SCALAR);
    let arena = cast::as_i8_mut(arena).split_at_mut_checked(scratch_len as usize);
    let (scratch, tensors) = arena.ok_or(Problem::Scratch)?;
    let rows = 0..operator.output().shape.height.into();
    step(&code, &operator, rows, [scratch, tensors], &mut Alone, |_, _| ());
    Ok(())
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
    #[cfg(not(device))]
    let mut decoded = Decoded::new(operators);
    for step in steps {
        #[cfg(not(device))]
        let Some(operator) = decoded.get(step.operator) else { return };
        // A device has no stack for a second operator.
        #[cfg(device)]
        let operator = &operators.decode_by(code.decode, step.operator);
        #[cfg(device)]
        let Ok(operator) = operator else { return };
        let index = step.operator;
        self::step(&code, operator, step.rows, [scratch, arena], &mut workers, |rows, values| {
            observe(Computed { index, operator, rows, values });
        });
    }
}

/// Computes some rows of an operator, as many at once as lie side by side.
#[inline(always)]
fn step(
    code: &Code,
    operator: &Operator<'_>,
    rows: Range<usize>,
    [scratch, arena]: [&mut [i8]; 2],
    workers: &mut impl Workers,
    mut observe: impl FnMut(Range<usize>, &[i8]),
) {
    let (mut row, end) = (rows.start, rows.end);
    while row < end {
        let rows = row..row + operator.contiguous(row, end - row);
        let Some((arena, output)) = Arena::beside(operator.output(), &rows, scratch.len(), arena) else {
            return;
        };
        workers.compute(code, operator, &arena, rows.clone(), output, scratch);
        observe(rows.clone(), output);
        row = rows.end;
    }
}
