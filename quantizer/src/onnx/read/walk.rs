//! The graph so far, and what each tensor of the file is in it.

use super::axes::Axes;
use super::constant::Constant;
use super::constants::Constants;
use super::node::Node;
use super::sides::checked;
use crate::graph::{Activation, Border, Graph, Operator, Shape, TensorId};
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;

/// A tensor of the file in the graph.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) tensor: TensorId,
    /// The sides of the file's tensor.
    pub(super) sides: Vec<usize>,
    pub(super) axes: Axes,
    /// Zeros around it that the graph does not have yet: a window can take them as its own.
    pub(super) border: Option<Border>,
    /// Whether nothing else reads the graph's tensor, so that what follows can become part of what writes it.
    pub(super) sole: bool,
}

/// The graph so far.
pub(super) struct Walk<'a> {
    /// The nodes that the output needs, in the file's order.
    pub(super) nodes: &'a [Node<'a>],
    /// The name of the network's output.
    pub(super) output: &'a str,
    pub(super) graph: Graph,
    pub(super) values: HashMap<&'a str, Value>,
    pub(super) constants: Constants<'a>,
    /// For each value the nodes that read it, an index for each time.
    readers: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        nodes: &'a [Node<'a>],
        output: &'a str,
        graph: Graph,
        constants: Constants<'a>,
    ) -> Self {
        let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, node) in nodes.iter().enumerate() {
            node.inputs().for_each(|name| readers.entry(name).or_default().push(index));
        }
        Self { nodes, output, graph, values: HashMap::new(), constants, readers }
    }

    /// Appends an operator that computes what a node writes; `sides` and `axes` are those of the file's tensor.
    pub(super) fn add(
        &mut self,
        node: &Node<'a>,
        operator: Operator,
        inputs: &[TensorId],
        sides: Vec<usize>,
        axes: Axes,
    ) -> Result<()> {
        self.add_activated(node, operator, Activation::None, inputs, sides, axes)
    }

    /// As [`add`](Self::add), with an activation behind it.
    pub(super) fn add_activated(
        &mut self,
        node: &Node<'a>,
        operator: Operator,
        activation: Activation,
        inputs: &[TensorId],
        sides: Vec<usize>,
        axes: Axes,
    ) -> Result<()> {
        let name = self.free_name(node, "");
        let sides = checked(sides)?;
        let tensor = self.graph.add(name, operator, activation, inputs)?;
        let sole = self.is_read_once(node.output());
        self.values.insert(node.output(), Value { tensor, sides, axes, border: None, sole });
        Ok(())
    }

    /// Makes another value also that which a node writes.
    pub(super) fn pass(&mut self, node: &Node<'a>, value: Value) {
        let sole = value.sole && self.is_read_once(node.output());
        self.values.insert(node.output(), Value { sole, ..value });
    }

    /// The constant at a place of a node; [`None`] if the place is left out.
    ///
    /// # Errors
    /// If what is there is computed.
    pub(super) fn argument(&self, node: &Node<'_>, place: usize) -> Result<Option<&Constant>> {
        let Some(name) = node.optional(place) else { return Ok(None) };
        let found = self.constants.get(name);
        found
            .map(Some)
            .with_context(|| format!("its input {place}, \"{name}\", is computed: it must be constant"))
    }

    pub(super) fn value(&self, name: &str) -> Result<&Value> {
        self.values
            .get(name)
            .with_context(|| format!("\"{name}\" is a constant, or a second output of the node before it"))
    }

    /// A value whose border is in the graph; `node` gives that a name.
    pub(super) fn settled(&mut self, node: &Node<'a>, name: &'a str) -> Result<Value> {
        let mut value = self.value(name)?.clone();
        if let Some(border) = value.border.take() {
            value = self.padded(node, &value, border)?;
            self.values.insert(name, value.clone());
        }
        Ok(value)
    }

    /// A value with zeros around, which its sides have already; `node` gives it a name.
    pub(super) fn padded(&mut self, node: &Node<'a>, value: &Value, border: Border) -> Result<Value> {
        let Shape { height, width, channels } = border.output(self.shape(value));
        checked(vec![height, width, channels])?;
        let name = self.free_name(node, ".pad");
        let tensor = self.graph.add(name, Operator::Pad(border), Activation::None, &[value.tensor])?;
        Ok(Value { tensor, border: None, sole: false, ..value.clone() })
    }

    pub(super) fn shape(&self, value: &Value) -> Shape {
        self.graph.tensor(value.tensor).shape
    }

    /// The node that alone reads what a node writes.
    pub(super) fn only_reader(&self, node: &Node<'a>) -> Option<Node<'a>> {
        let reader = self.readers.get(node.output())?.first()?;
        self.is_read_once(node.output()).then(|| self.nodes[*reader])
    }

    /// The graph, if the file's output is what it computes last.
    pub(super) fn finish(mut self) -> Result<Graph> {
        let last = *self.nodes.last().context("the network computes nothing")?;
        ensure!(
            self.values.contains_key(self.output),
            "the network computes nothing: its output is a constant"
        );
        let output = self.settled(&last, self.output)?;
        ensure!(output.tensor != self.graph.input(), "the network computes nothing");
        ensure!(output.tensor == self.graph.output(), "the network's output is not what it computes last");
        Ok(self.graph)
    }

    fn is_read_once(&self, name: &str) -> bool {
        self.readers.get(name).is_some_and(|readers| readers.len() == 1) && name != self.output
    }

    /// The name of a node with a suffix, and a number if another node of the graph has that already.
    fn free_name(&self, node: &Node<'_>, suffix: &str) -> String {
        let name = node.name();
        let (mut free, mut number) = (format!("{name}{suffix}"), 1);
        while self.graph.tensors().iter().any(|tensor| tensor.name == free) {
            number += 1;
            free = format!("{name}{suffix}_{number}");
        }
        free
    }
}
