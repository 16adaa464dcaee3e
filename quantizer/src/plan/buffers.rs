//! Which tensors can lie on the same bytes although both hold values: views, and results written over an operand.

use super::placement::Lifetime;
use super::program::Program;
use crate::graph::TensorId;
use crate::quantize::Network;

/// The buffers of a network. A tensor and its reshaped form share one; so do an elementwise operator's output and an
/// input that nothing reads later.
#[derive(Clone, Debug)]
pub struct Buffers {
    /// The buffer of each tensor, an index of `lifetimes`.
    pub of_tensor: Vec<usize>,
    /// One per buffer, one byte per value. Step n is the n-th layer; the network's input is there from the start, its
    /// output to the end.
    pub lifetimes: Vec<Lifetime>,
}

impl Buffers {
    /// Finds the buffers of a network.
    pub(super) fn of(program: &Program<'_>) -> Self {
        let network = program.network;
        let mut of_tensor: Vec<usize> = (0..network.tensors.len()).collect();
        for (index, layer) in network.layers.iter().enumerate() {
            if program.is_view(index) {
                of_tensor[layer.output.index()] = of_tensor[layer.inputs[0].index()];
            }
        }
        let mut lives = lives(network, &of_tensor);
        for (step, layer) in network.layers.iter().enumerate() {
            if let Some(input) = overwritten(program, step, &of_tensor, &lives) {
                let output = of_tensor[layer.output.index()];
                merge(&mut of_tensor, &mut lives, output, input);
            }
        }
        compact(&of_tensor, &lives)
    }

    /// Bytes of a row of a buffer whose tensors all have the same rows.
    pub(super) fn row_len(&self, network: &Network, buffer: usize) -> usize {
        let tensor = self.of_tensor.iter().position(|&found| found == buffer);
        tensor
            .map_or(0, |tensor| network.tensors[tensor].shape.width * network.tensors[tensor].shape.channels)
    }
}

/// The lifetime of each buffer, at the index of the tensor that it is named after.
fn lives(network: &Network, of_tensor: &[usize]) -> Vec<Lifetime> {
    let mut lives: Vec<Option<Lifetime>> = vec![None; network.tensors.len()];
    let mut touch = |id: TensorId, step: usize| {
        let size = network.tensor(id).shape.volume();
        let life = lives[of_tensor[id.index()]].get_or_insert(Lifetime { size, first: step, last: step });
        life.last = life.last.max(step);
    };
    touch(TensorId(0), 0);
    for (step, layer) in network.layers.iter().enumerate() {
        layer.inputs.iter().for_each(|&input| touch(input, step));
        touch(layer.output, step);
    }
    touch(network.output, network.layers.len().saturating_sub(1));
    // A tensor that is no buffer, or that nothing touches, takes no bytes.
    lives.into_iter().map(|life| life.unwrap_or(Lifetime { size: 0, first: 0, last: 0 })).collect()
}

/// The buffer that an elementwise operator may write its output over: that of an input of the same size whose last use
/// this is, and that is not also the other input.
fn overwritten(program: &Program<'_>, step: usize, of_tensor: &[usize], lives: &[Lifetime]) -> Option<usize> {
    if !program.works_in_place(step) {
        return None;
    }
    let (network, layer) = (program.network, program.layer(step));
    let buffer = |id: &TensorId| of_tensor[id.index()];
    let size = network.tensor(layer.output).shape.volume();
    let mut inputs = layer.inputs.iter().enumerate();
    let (_, input) = inputs.find(|(index, input)| {
        let alone =
            layer.inputs.iter().enumerate().all(|(i, other)| i == *index || buffer(other) != buffer(input));
        let same_size = network.tensor(**input).shape.volume() == size;
        alone && same_size && lives[buffer(input)].last == step
    })?;
    Some(buffer(input))
}

/// Makes buffer `from` a part of buffer `into`.
fn merge(of_tensor: &mut [usize], lives: &mut [Lifetime], from: usize, into: usize) {
    of_tensor.iter_mut().filter(|buffer| **buffer == from).for_each(|buffer| *buffer = into);
    lives[into].last = lives[from].last;
}

/// Numbers the buffers that are left from 0 on.
fn compact(of_tensor: &[usize], lives: &[Lifetime]) -> Buffers {
    let mut used: Vec<usize> = of_tensor.to_vec();
    used.sort_unstable();
    used.dedup();
    let number = |buffer: &usize| used.partition_point(|other| other < buffer);
    Buffers {
        of_tensor: of_tensor.iter().map(number).collect(),
        lifetimes: used.iter().map(|&buffer| lives[buffer]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Activation, Filter, Graph, Operator, Shape};
    use crate::quantize::Network;
    use crate::quantize::{Range, quantise};

    fn network(build: impl Fn(&mut Graph)) -> Network {
        let mut graph = Graph::new(Shape::new(2, 2, 3));
        build(&mut graph);
        let ranges = vec![Range { min: -1.0, max: 1.0 }; graph.tensors().len()];
        quantise(&graph, &ranges).unwrap()
    }

    fn add(graph: &mut Graph, name: &str, operator: Operator, inputs: &[TensorId]) -> TensorId {
        graph.add(name, operator, Activation::None, inputs).unwrap()
    }

    fn point() -> Operator {
        Operator::Conv2d(crate::graph::Window::POINT, Filter::new(vec![0.5; 9], vec![0.0; 3]).unwrap())
    }

    #[test]
    fn a_sum_lies_on_the_input_that_dies() {
        let buffers = Buffers::of(&Program::of(&network(|graph| {
            let input = graph.input();
            let a = add(graph, "a", point(), &[input]);
            let b = add(graph, "b", point(), &[a]);
            let sum = add(graph, "sum", Operator::Add, &[a, b]);
            // `a` is read again, so that this sum overwrites the other one.
            add(graph, "again", Operator::Add, &[a, sum]);
        })));
        // input, a, b, sum, again
        assert_eq!(buffers.of_tensor, [0, 1, 2, 2, 1]);
        assert_eq!(buffers.lifetimes[1], Lifetime { size: 12, first: 0, last: 3 });
        assert_eq!(buffers.lifetimes[2], Lifetime { size: 12, first: 1, last: 3 });
    }

    #[test]
    fn a_tensor_added_to_itself_is_not_overwritten() {
        let buffers = Buffers::of(&Program::of(&network(|graph| {
            let input = graph.input();
            let a = add(graph, "a", point(), &[input]);
            add(graph, "twice", Operator::Add, &[a, a]);
        })));
        assert_eq!(buffers.of_tensor, [0, 1, 2]);
    }

    #[test]
    fn reshapes_are_views_and_live_as_long_as_any_of_them() {
        let buffers = Buffers::of(&Program::of(&network(|graph| {
            let input = graph.input();
            let a = add(graph, "a", point(), &[input]);
            let flat = add(graph, "flat", Operator::Reshape(Shape::new(1, 1, 12)), &[a]);
            let soft = add(graph, "soft", Operator::Softmax, &[flat]);
            let back = add(graph, "back", Operator::Reshape(Shape::new(2, 2, 3)), &[soft]);
            add(graph, "sum", Operator::Add, &[a, back]);
        })));
        // `a` is read after the softmax of its reshaped form: the softmax needs a place of its own; the sum does not.
        assert_eq!(buffers.of_tensor, [0, 1, 1, 2, 2, 1]);
    }

    #[test]
    fn a_repeated_operand_is_not_overwritten() {
        let buffers = Buffers::of(&Program::of(&network(|graph| {
            let input = graph.input();
            let a = add(graph, "a", point(), &[input]);
            let mean = add(graph, "mean", Operator::Mean, &[a]);
            add(graph, "sum", Operator::Add, &[a, mean]);
        })));
        assert_eq!(buffers.of_tensor, [0, 1, 2, 1]);
    }
}
