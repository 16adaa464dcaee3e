//! Arithmetic value by value: constants become part of the filter before them, bounds its activation.

use super::walk::{Value, Walk, floats};
use crate::graph::{Activation, Filter, Operator, Window};
use anyhow::{Context, Result, bail, ensure};
use tract_core::internal::*;
use tract_core::ops::binary::TypedBinOp;

impl Walk<'_> {
    /// A sum, difference, product, quotient, maximum or minimum.
    pub(super) fn binary(&mut self, node: &TypedNode, operator: &str) -> Result<()> {
        let constant = node.inputs.iter().position(|&input| self.constant(input).is_some());
        match (operator, constant) {
            ("Add", None) => self.sum(node),
            ("Max" | "Min", Some(_)) => self.clamp(node),
            (_, Some(position)) => self.affine(node, operator, position),
            _ => bail!("it has two computed inputs: that is possible for Add only"),
        }
    }

    fn sum(&mut self, node: &TypedNode) -> Result<()> {
        let mut values = [self.settled(node.inputs[0])?, self.settled(node.inputs[1])?];
        let axes = values[0].axes.joined(&values[1].axes)?;
        // The graph repeats the second.
        if self.shape(&values[0]).volume() < self.shape(&values[1]).volume() {
            values.swap(0, 1);
        }
        self.add(node.id.into(), Operator::Add, &values.map(|value| value.tensor), axes)
    }

    /// `scale * x + shift` for each channel; `position` is that of the constant among the inputs.
    fn affine(&mut self, node: &TypedNode, operator: &str, position: usize) -> Result<()> {
        let value = self.settled(node.inputs[1 - position])?;
        let constants = self.per_channel(node, position, &value)?;
        let all = |number: f32| vec![number; constants.len()];
        let (scale, shift) = match (operator, position) {
            ("Add", _) => (all(1.0), constants),
            ("Sub", 1) => (all(1.0), constants.iter().map(|constant| -constant).collect()),
            ("Sub", _) => (all(-1.0), constants),
            ("Mul", _) => (constants.clone(), all(0.0)),
            ("Div", 1) => (constants.iter().map(|constant| constant.recip()).collect(), all(0.0)),
            _ => bail!("a constant cannot be combined in this way: add, subtract, multiply or divide by it"),
        };
        if value.sole && self.graph.fold_affine(value.tensor, &scale, &shift)? {
            self.pass(node.id.into(), value);
            return Ok(());
        }
        let operator = Operator::DepthwiseConv2d(Window::POINT, Filter::new(scale, shift)?);
        self.add(node.id.into(), operator, &[value.tensor], value.axes)
    }

    /// A constant as one value per channel.
    fn per_channel(&self, node: &TypedNode, position: usize, value: &Value) -> Result<Vec<f32>> {
        let constant = self.constant(node.inputs[position]).context("it needs a constant")?;
        let channels = self.shape(value).channels;
        let values = floats(constant)?;
        let wide: Vec<usize> = (0..constant.rank()).filter(|&axis| constant.shape()[axis] > 1).collect();
        let fact = self.model.outlet_fact(node.id.into())?;
        ensure!(
            fact.shape == self.model.outlet_fact(node.inputs[1 - position])?.shape,
            "its constant is larger than its input"
        );
        match wide[..] {
            [] => Ok(vec![values[0]; channels]),
            [axis] if value.axes.list(axis) == [super::axes::Axis::Channel] => Ok(values),
            _ => bail!(
                "its constant has shape {:?}: one value, or one per channel is possible",
                constant.shape()
            ),
        }
    }

    /// Maxima and minima with constants, one after the other.
    fn clamp(&mut self, node: &TypedNode) -> Result<()> {
        let (mut low, mut high) = Activation::None.bounds();
        let mut chain = Vec::new();
        let mut next = Some(node);
        while let Some((node, (is_max, bound))) = next.and_then(|node| Some((node, self.bound(node)?))) {
            let clamp = |x: f32| if is_max { x.max(bound) } else { x.min(bound) };
            (low, high) = (clamp(low), clamp(high));
            chain.push(OutletId::from(node.id));
            next = self.only_reader(node);
        }
        let last = *chain.last().context("its constant must be a single value")?;
        let input = node.inputs.iter().find(|&&input| self.constant(input).is_none());
        let value = self.settled(*input.context("it needs an input")?)?;
        if value.sole && self.graph.fuse_clamp(value.tensor, low, high) {
            chain.iter().for_each(|&outlet| self.pass(outlet, value.clone()));
            return Ok(());
        }
        let activation = Activation::of_bounds(low, high)
            .with_context(|| format!("it clamps to [{low}, {high}]: only ReLU and ReLU6 are possible"))?;
        // A window of a single value and its clamp: an activation alone.
        let alone = Operator::MaxPool2d(Window::POINT);
        self.add_activated(last, alone, activation, &[value.tensor], value.axes)?;
        let value = self.value(last)?.clone();
        chain.iter().for_each(|&outlet| self.pass(outlet, value.clone()));
        Ok(())
    }

    /// The constant of a maximum (true) or minimum.
    fn bound(&self, node: &TypedNode) -> Option<(bool, f32)> {
        let is_max = match node.op_as::<TypedBinOp>()?.0.name() {
            "Max" => true,
            "Min" => false,
            _ => return None,
        };
        let constant = node.inputs.iter().find_map(|&input| self.constant(input))?;
        let [bound] = floats(constant).ok()?[..] else { return None };
        (!bound.is_nan()).then_some((is_max, bound))
    }
}
