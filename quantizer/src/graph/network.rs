//! A network of operators and tensors.

use super::operator::{Activation, Operator};
use super::shape::Shape;
use anyhow::{Context, Result, bail, ensure};

/// Names a tensor of one [`Graph`]: its index in [`Graph::tensors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TensorId(pub(crate) usize);

impl TensorId {
    /// The index in [`Graph::tensors`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// An activation tensor.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// The name of the node that writes it, or [`Graph::INPUT`].
    pub name: String,
    /// Its extent.
    pub shape: Shape,
}

/// One operator with its inputs, its output and the activation that follows it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Unique in the graph.
    pub name: String,
    /// What it computes.
    pub operator: Operator,
    /// Applied to the result.
    pub activation: Activation,
    /// What it reads, in the operator's order.
    pub inputs: Vec<TensorId>,
    /// What it writes.
    pub output: TensorId,
}

/// A network with one input and one output. Nodes are in an order of execution.
#[derive(Clone, Debug)]
pub struct Graph {
    tensors: Vec<Tensor>,
    pub(super) nodes: Vec<Node>,
    input: TensorId,
    output: TensorId,
}

impl Graph {
    /// The name of the input tensor.
    pub const INPUT: &str = "input";

    /// Starts a graph with its input tensor.
    pub fn new(input: Shape) -> Self {
        let tensors = vec![Tensor { name: Self::INPUT.into(), shape: input }];
        Self { tensors, nodes: Vec::new(), input: TensorId(0), output: TensorId(0) }
    }

    /// Appends an operator, finds its output's shape, and makes that output the graph's.
    ///
    /// # Errors
    /// If the inputs do not exist or do not fit the operator, or the name is taken.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        operator: Operator,
        activation: Activation,
        inputs: &[TensorId],
    ) -> Result<TensorId> {
        let name = name.into();
        if self.tensors.iter().any(|tensor| tensor.name == name) {
            bail!("two nodes are called \"{name}\": give each node a name of its own");
        }
        let mut shapes = Vec::new();
        for id in inputs {
            let tensor =
                self.tensors.get(id.0).with_context(|| format!("\"{name}\" reads tensor {}", id.0))?;
            shapes.push(tensor.shape);
        }
        let shape = operator.output_shape(&shapes).with_context(|| format!("node \"{name}\""))?;
        ensure!(shape.volume() > 0, "node \"{name}\" has an empty output of {shape}");
        let output = TensorId(self.tensors.len());
        self.tensors.push(Tensor { name: name.clone(), shape });
        self.nodes.push(Node { name, operator, activation, inputs: inputs.to_vec(), output });
        self.output = output;
        Ok(output)
    }

    /// All tensors; the input is the first.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// One tensor.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.0]
    }

    /// All nodes, each after those whose outputs it reads.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The tensor that the network reads.
    pub fn input(&self) -> TensorId {
        self.input
    }

    /// The tensor that the network answers with.
    pub fn output(&self) -> TensorId {
        self.output
    }
}

#[cfg(test)]
mod tests {
    use super::super::operator::Filter;
    use super::super::window::Window;
    use super::*;

    #[test]
    fn shapes_follow_same_and_valid_padding() {
        let mut graph = Graph::new(Shape::new(7, 5, 2));
        let filter = Filter::new(vec![0.5; 3 * 9 * 2], vec![0.0; 3]).unwrap();
        let input = graph.input();
        let same = Operator::Conv2d(Window::same([3, 3], [2, 2], [7, 5]), filter.clone());
        let valid = Operator::Conv2d(Window::valid([3, 3], [2, 2]), filter);
        let a = graph.add("a", same, Activation::Relu6, &[input]).unwrap();
        assert_eq!(graph.tensor(a).shape, Shape::new(4, 3, 3));
        let b = graph.add("b", valid, Activation::None, &[input]).unwrap();
        assert_eq!(graph.tensor(b).shape, Shape::new(3, 2, 3));
        assert!(graph.add("c", Operator::Add, Activation::None, &[a, b]).is_err(), "shapes differ");
        assert!(graph.add("b", Operator::Mean, Activation::None, &[a]).is_err(), "name taken");
    }
}
