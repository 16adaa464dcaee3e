//! The executor: a loop over operator records. It knows no network by name.

use crate::kernels::{KernelSet, Kernels, scalar::Scalar};
use crate::operator::Operator;
use crate::slices::copy;
use crate::tensor::Tensor;

/// Runs checked operators on an arena that already holds the input.
pub(crate) fn execute<'a>(
    kernels: KernelSet,
    operators: impl Iterator<Item = Operator<'a>>,
    arena: &mut [i8],
    mut observe: impl FnMut(usize, &Operator<'_>, &[i8]),
) {
    for (index, operator) in operators.enumerate() {
        let Some((inputs, output)) = Inputs::beside(operator.output(), arena) else { return };
        match kernels {
            KernelSet::Scalar => step::<Scalar>(&operator, &inputs, output),
        }
        observe(index, &operator, output);
    }
}

/// One operator with the kernels of `K`.
fn step<K: Kernels>(operator: &Operator<'_>, inputs: &Inputs<'_>, output: &mut [i8]) {
    match operator {
        Operator::Convolution(op) if op.is_pointwise() => K::pointwise(op, inputs.get(&op.input), output),
        Operator::Convolution(op) => K::convolution(op, inputs.get(&op.input), output),
        Operator::Depthwise(op) => K::depthwise(op, inputs.get(&op.input), output),
        Operator::FullyConnected(op) => K::fully_connected(op, inputs.get(&op.input), output),
        Operator::Add(op) => {
            copy(output, inputs.get(&op.first.tensor));
            K::add(op, inputs.get(&op.second.tensor), output);
        }
        Operator::Mean(op) => K::mean(op, inputs.get(&op.input), output),
        Operator::Softmax(op) => {
            copy(output, inputs.get(&op.input));
            K::softmax(op, output);
        }
        Operator::AveragePool(op) => K::average_pool(op, inputs.get(&op.input), output),
        Operator::MaxPool(op) => K::max_pool(op, inputs.get(&op.input), output),
        Operator::Pad(op) => K::pad(op, inputs.get(&op.input), output),
        Operator::Constant(op) => K::constant(op, output),
    }
}

/// The arena on both sides of the output: where inputs can lie.
struct Inputs<'a> {
    before: &'a [i8],
    after: &'a [i8],
    after_start: usize,
}

impl<'a> Inputs<'a> {
    /// Splits the arena around the output; [`None`] if that lies outside, which a checked operator's does not.
    fn beside(output: &Tensor, arena: &'a mut [i8]) -> Option<(Self, &'a mut [i8])> {
        let range = output.range();
        let (before, rest) = arena.split_at_mut_checked(range.start)?;
        let (output, after) = rest.split_at_mut_checked(range.len())?;
        Some((Self { before, after, after_start: range.end }, output))
    }

    /// The values of an input; empty if it overlaps the output. A checked operator's does so only where it works in
    /// place: then its values are in the output already.
    fn get(&self, tensor: &Tensor) -> &'a [i8] {
        let range = tensor.range();
        let found = match range.start.checked_sub(self.after_start) {
            Some(start) => self.after.get(start..).and_then(|rest| rest.get(..range.len())),
            None => self.before.get(range),
        };
        found.unwrap_or(&[])
    }
}
