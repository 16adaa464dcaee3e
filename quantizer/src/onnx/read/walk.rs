//! The graph so far, and what each tensor of the file is in it.

use super::admit::{MOST_VALUES, Nodes};
use super::axes::Axes;
use crate::graph::{Activation, Border, Graph, Operator, Shape, TensorId};
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use tract_core::internal::*;

/// A tensor of tract's model in the graph.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) tensor: TensorId,
    pub(super) axes: Axes,
    /// Zeros around it that the graph does not have yet: a window can take them as its own.
    pub(super) border: Option<Border>,
    /// Whether nothing else reads the graph's tensor, so that what follows can become part of what writes it.
    pub(super) sole: bool,
}

/// The graph so far.
pub(super) struct Walk<'a> {
    pub(super) model: &'a TypedModel,
    pub(super) nodes: &'a Nodes,
    pub(super) graph: Graph,
    pub(super) values: HashMap<OutletId, Value>,
    pub(super) constants: HashMap<OutletId, Arc<Tensor>>,
}

/// The sides of a tensor whose shape is known.
pub(super) fn sides(fact: &TypedFact) -> Result<Vec<usize>> {
    let sides = fact.shape.as_concrete().context("its shape depends on the input's values")?;
    let volume = sides.iter().try_fold(1usize, |volume, &side| volume.checked_mul(side));
    let possible = volume.is_some_and(|volume| (1..=MOST_VALUES).contains(&volume));
    ensure!(possible, "a tensor has the sides {sides:?}: it is empty, or too large for any device");
    Ok(sides.to_vec())
}

/// The values of a constant.
pub(super) fn floats(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.view().as_slice::<f32>()?.to_vec())
}

impl Walk<'_> {
    /// Appends an operator that computes the value of `outlet`.
    pub(super) fn add(
        &mut self,
        outlet: OutletId,
        operator: Operator,
        inputs: &[TensorId],
        axes: Axes,
    ) -> Result<()> {
        self.add_activated(outlet, operator, Activation::None, inputs, axes)
    }

    /// As [`add`](Self::add), with an activation behind it.
    pub(super) fn add_activated(
        &mut self,
        outlet: OutletId,
        operator: Operator,
        activation: Activation,
        inputs: &[TensorId],
        axes: Axes,
    ) -> Result<()> {
        let name = self.free_name(outlet, "");
        let tensor = self.graph.add(name, operator, activation, inputs)?;
        self.values.insert(outlet, Value { tensor, axes, border: None, sole: self.is_read_once(outlet) });
        Ok(())
    }

    /// Makes the value of another outlet also that of `outlet`.
    pub(super) fn pass(&mut self, outlet: OutletId, value: Value) {
        let sole = value.sole && self.is_read_once(outlet);
        self.values.insert(outlet, Value { sole, ..value });
    }

    pub(super) fn constant(&self, outlet: OutletId) -> Option<&Arc<Tensor>> {
        self.constants.get(&outlet)
    }

    pub(super) fn value(&self, outlet: OutletId) -> Result<&Value> {
        self.values.get(&outlet).context("it needs a constant, or a second output of the node before it")
    }

    /// A value whose border is in the graph.
    pub(super) fn settled(&mut self, outlet: OutletId) -> Result<Value> {
        let mut value = self.value(outlet)?.clone();
        if let Some(border) = value.border.take() {
            value = self.padded(outlet, &value, border)?;
            self.values.insert(outlet, value.clone());
        }
        Ok(value)
    }

    /// A value with zeros around; `outlet` gives the name.
    pub(super) fn padded(&mut self, outlet: OutletId, value: &Value, border: Border) -> Result<Value> {
        let name = self.free_name(outlet, ".pad");
        let tensor = self.graph.add(name, Operator::Pad(border), Activation::None, &[value.tensor])?;
        Ok(Value { tensor, border: None, sole: false, ..value.clone() })
    }

    pub(super) fn shape(&self, value: &Value) -> Shape {
        self.graph.tensor(value.tensor).shape
    }

    /// The node that alone reads a node's output.
    pub(super) fn only_reader(&self, node: &TypedNode) -> Option<&TypedNode> {
        let reader = node.outputs.first()?.successors.first()?;
        self.is_read_once(node.id.into()).then(|| self.model.node(reader.node))
    }

    fn is_read_once(&self, outlet: OutletId) -> bool {
        let readers = &self.model.node(outlet.node).outputs[outlet.slot].successors;
        readers.len() == 1 && !self.model.outputs.contains(&outlet)
    }

    /// The name of the file's node with a suffix, and a number if another node of the graph has that already.
    fn free_name(&self, outlet: OutletId, suffix: &str) -> String {
        let node = &self.model.node(outlet.node).name;
        let name = self.nodes.origin(node).map_or(node.as_str(), |(name, _)| name);
        let (mut free, mut number) = (format!("{name}{suffix}"), 1);
        while self.graph.tensors().iter().any(|tensor| tensor.name == free) {
            number += 1;
            free = format!("{name}{suffix}_{number}");
        }
        free
    }

    /// The node of the file that a node of tract's model was made from.
    pub(super) fn describe(&self, node: &TypedNode) -> String {
        match self.nodes.origin(&node.name) {
            Some((name, operator)) => format!("node \"{name}\" ({operator})"),
            None => format!("node \"{}\"", node.name),
        }
    }
}
