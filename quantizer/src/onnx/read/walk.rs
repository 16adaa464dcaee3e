//! One node after the other.

use super::MOST_VALUES;
use super::admit::Nodes;
use super::axes::{Axes, Axis};
use super::shape::image;
use crate::graph::{Activation, Border, Graph, Operator, Shape, TensorId};
use crate::samples::Layout;
use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use tract_core::internal::*;
use tract_core::ops::array::Pad;
use tract_core::ops::binary::TypedBinOp;
use tract_core::ops::cast::Cast;
use tract_core::ops::cnn::{Conv, MaxPool, SumPool};
use tract_core::ops::einsum::EinSum;
use tract_core::ops::identity::Identity;
use tract_core::ops::nn::{Reduce, Softmax, SoftmaxKind};

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
    nodes: &'a Nodes,
    pub(super) graph: Graph,
    values: HashMap<OutletId, Value>,
    constants: HashMap<OutletId, Arc<Tensor>>,
}

/// The graph of a model whose only input lies in this layout.
pub(super) fn walk(model: &TypedModel, nodes: &Nodes, layout: Layout) -> Result<Graph> {
    let source = model.input_outlets()?[0];
    let (shape, axes) = image(&sides(model.outlet_fact(source)?)?, layout);
    let graph = Graph::new(shape);
    let input = Value { tensor: graph.input(), axes, border: None, sole: false };
    let values = HashMap::from([(source, input)]);
    let mut walk = Walk { model, nodes, graph, values, constants: HashMap::new() };
    let order = model.eval_order()?;
    for &id in &order {
        walk.constant_node(model.node(id)).with_context(|| walk.describe(model.node(id)))?;
    }
    for &id in &order {
        walk.node(model.node(id)).with_context(|| walk.describe(model.node(id)))?;
    }
    let output = walk.settled(model.output_outlets()?[0])?;
    ensure!(output.tensor != walk.graph.input(), "the network computes nothing");
    ensure!(output.tensor == walk.graph.output(), "the network's output is not what it computes last");
    Ok(walk.graph)
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
    /// Keeps the value of a node that no input decides.
    fn constant_node(&mut self, node: &TypedNode) -> Result<()> {
        let outlet = OutletId::from(node.id);
        let fact = self.model.outlet_fact(outlet)?;
        let inputs = node.inputs.iter().map(|&input| Some(self.constant(input)?.clone().into_tvalue()));
        let inputs: Option<TVec<TValue>> = inputs.collect();
        if let Some(constant) = &fact.konst {
            self.constants.insert(outlet, constant.clone());
        } else if let Some(inputs) = inputs.filter(|inputs| !inputs.is_empty()) {
            sides(fact)?;
            let outputs = node.op.eval_out_of_plan(inputs)?;
            let output = outputs.and_then(|outputs| outputs.into_iter().next());
            let output = output.context("its value cannot be computed in advance")?;
            self.constants.insert(outlet, output.into_arc_tensor());
        }
        Ok(())
    }

    fn node(&mut self, node: &TypedNode) -> Result<()> {
        let outlet = OutletId::from(node.id);
        if self.constant(outlet).is_some() || self.values.contains_key(&outlet) {
            return Ok(());
        }
        sides(self.model.outlet_fact(outlet)?)?;
        if let Some(change) = node.op_as::<AxisOp>() {
            self.change_axes(node, change)
        } else if let Some(operator) = node.op_as::<TypedBinOp>() {
            self.binary(node, operator.0.name())
        } else if let Some(convolution) = node.op_as::<Conv>() {
            self.convolution(node, convolution)
        } else if let Some(product) = node.op_as::<EinSum>() {
            self.product(node, product)
        } else if let Some(reduce) = node.op_as::<Reduce>() {
            self.mean(node, reduce)
        } else if let Some(pool) = node.op_as::<SumPool>() {
            self.average_pool(node, pool)
        } else if let Some(pool) = node.op_as::<MaxPool>() {
            self.max_pool(node, pool)
        } else if let Some(softmax) = node.op_as::<Softmax>() {
            self.softmax(node, softmax)
        } else if let Some(pad) = node.op_as::<Pad>() {
            self.pad(node, pad)
        } else if self.does_nothing(node)? {
            let value = self.value(node.inputs[0])?.clone();
            self.pass(outlet, value);
            Ok(())
        } else {
            bail!("it cannot be expressed by the operators of an int8 network")
        }
    }

    /// Whether a node is an identity, a dropout in inference or a conversion to the type that is there already.
    fn does_nothing(&self, node: &TypedNode) -> Result<bool> {
        let dropout = node.op.name() == "Dropout";
        ensure!(
            !dropout || node.op.declutter(self.model, node)?.is_some(),
            "it is in training mode: export for inference"
        );
        let cast = node.op_as::<Cast>().is_some_and(|cast| cast.to == f32::datum_type());
        Ok(dropout || cast || node.op_is::<Identity>())
    }

    fn softmax(&mut self, node: &TypedNode, softmax: &Softmax) -> Result<()> {
        let value = self.settled(node.inputs[0])?;
        ensure!(softmax.kind == SoftmaxKind::Softmax, "only a softmax without logarithm is possible");
        let channels = match softmax.axes[..] {
            [axis] => value.axes.list(axis) == [Axis::Channel],
            _ => false,
        };
        ensure!(channels, "a softmax is possible over the channels or over a vector");
        self.add(node.id.into(), Operator::Softmax, &[value.tensor], value.axes)
    }

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

    fn describe(&self, node: &TypedNode) -> String {
        match self.nodes.origin(&node.name) {
            Some((name, operator)) => format!("node \"{name}\" ({operator})"),
            None => format!("node \"{}\"", node.name),
        }
    }
}
