//! One node after the other.

use super::admit::Nodes;
use super::axes::Axis;
use super::shape::image;
use super::walk::{Value, Walk, sides};
use crate::graph::{Graph, Operator};
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
}
