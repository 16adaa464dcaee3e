//! Which kernel computes which operator, on which bytes.

use super::arena::Arena;
use crate::kernels::{KernelSet, Kernels, Which, each_row};
use crate::operator::{Add, AveragePool, Depthwise, Kinds, MaxPool, Operator, has_kind};
use crate::slices::{copy, part};
use core::ops::Range;

/// Some rows of one operator with the kernels of one set.
pub(crate) fn run<W: Which, const KINDS: Kinds>(
    set: KernelSet,
    operator: &Operator<'_>,
    arena: &Arena<'_>,
    rows: Range<usize>,
    output: &mut [i8],
    scratch: &mut [i8],
) {
    let Some(kernels) = W::token(set) else { return };
    // An operator of a kind that the program has no code for has not been decoded.
    match operator {
        Operator::Convolution(op) if has_kind(KINDS, op) => {
            if op.is_pointwise() {
                kernels.product(&op.matrix(), arena.lying(&op.input, &rows), output, scratch);
            } else {
                kernels.convolution(op, arena.rows(&op.input), rows, output, scratch);
            }
        }
        Operator::Depthwise(kind) if has_kind(KINDS, kind) => {
            let Depthwise(op) = kind;
            kernels.depthwise(op, arena.rows(&op.input), rows, output, scratch);
        }
        Operator::FullyConnected(op) if has_kind(KINDS, op) => {
            let (matrix, input) = (op.matrix(), arena.whole(&op.input));
            if input.len() == matrix.depth {
                kernels.product(&matrix, input, output, scratch);
            } else if let Some((patch, scratch)) = scratch.split_at_mut_checked(matrix.depth) {
                copy(patch, input);
                kernels.product(&matrix, patch, output, scratch);
            }
        }
        Operator::Add(op) if has_kind(KINDS, op) => {
            copy(output, arena.lying(&op.first.tensor, &rows));
            add(kernels, op, arena, rows, output);
        }
        Operator::Mean(op) if has_kind(KINDS, op) => kernels.mean(op, arena.whole(&op.input), output),
        Operator::Softmax(op) if has_kind(KINDS, op) => {
            copy(output, arena.whole(&op.input));
            kernels.softmax(op, output);
        }
        Operator::AveragePool(kind) if has_kind(KINDS, kind) => {
            let AveragePool(op) = kind;
            each_row(&op.output, rows, output, |y, row| {
                kernels.average_pool(op, arena.rows(&op.input), y, row);
            });
        }
        Operator::MaxPool(kind) if has_kind(KINDS, kind) => {
            let MaxPool(op) = kind;
            each_row(&op.output, rows, output, |y, row| kernels.max_pool(op, arena.rows(&op.input), y, row));
        }
        Operator::Pad(op) if has_kind(KINDS, op) => kernels.pad(op, arena.whole(&op.input), output),
        Operator::Constant(op) if has_kind(KINDS, op) => kernels.constant(op, output),
        Operator::Table(op) if has_kind(KINDS, op) => {
            copy(output, arena.lying(&op.input, &rows));
            kernels.table(op, output);
        }
        Operator::Convolution(_)
        | Operator::Depthwise(_)
        | Operator::FullyConnected(_)
        | Operator::Add(_)
        | Operator::Mean(_)
        | Operator::Softmax(_)
        | Operator::AveragePool(_)
        | Operator::MaxPool(_)
        | Operator::Pad(_)
        | Operator::Constant(_)
        | Operator::Table(_) => {}
    }
}

/// A sum: rows that lie in the second input as they do in the output, or one row of which something is repeated.
fn add<K: Kernels>(kernels: K, op: &Add, arena: &Arena<'_>, rows: Range<usize>, values: &mut [i8]) {
    let (second, whole) = (&op.second.tensor, op.output.shape);
    if second.shape == whole {
        return kernels.add(op, arena.lying(second, &rows), values);
    }
    let row = if second.shape.height == 1 { 0 } else { rows.start };
    let row = arena.rows(second).row(row);
    if second.shape.width == 1 || second.shape.channels == whole.channels {
        return kernels.add(op, row, values);
    }
    for (index, pixel) in values.chunks_exact_mut(usize::from(whole.channels).max(1)).enumerate() {
        kernels.add(op, part(row, index, 1), pixel);
    }
}
