//! Arithmetic value by value: constants become part of the filter before them, bounds its activation.

use super::axes::Axis;
use super::constant::Constant;
use super::node::Node;
use super::sides::{broadcast, widened};
use super::walk::{Value, Walk};
use crate::graph::{Activation, Filter, Operator, Window};
use anyhow::{Context, Result, bail, ensure};

impl<'a> Walk<'a> {
    /// A sum of two images, or of one and a constant.
    pub(super) fn sum_or_affine(&mut self, node: &Node<'a>) -> Result<()> {
        if node.inputs().any(|name| self.constants.get(name).is_some()) {
            return self.affine(node);
        }
        let (first, second) = (node.input(0)?, node.input(1)?);
        let mut values = [self.settled(node, first)?, self.settled(node, second)?];
        let sides = broadcast(&values[0].sides, &values[1].sides)?;
        for value in &mut values {
            for _ in value.sides.len()..sides.len() {
                value.axes = value.axes.added(0);
            }
        }
        let axes = values[0].axes.joined(&values[1].axes)?;
        // The graph repeats the second.
        if self.shape(&values[0]).volume() < self.shape(&values[1]).volume() {
            values.swap(0, 1);
        }
        self.add(node, Operator::Add, &values.map(|value| value.tensor), sides, axes)
    }

    /// A sum, difference, product or quotient with a constant: `scale * x + shift` for each channel.
    pub(super) fn affine(&mut self, node: &Node<'a>) -> Result<()> {
        let places = [node.input(0)?, node.input(1)?];
        let position = places.iter().position(|name| self.constants.get(name).is_some());
        let position = position.context("it has two computed inputs: that is possible for Add only")?;
        let value = self.settled(node, places[1 - position])?;
        let constant = self.constants.get(places[position]).context("it needs a constant")?;
        let constants = per_channel(constant, &value, self.shape(&value).channels)?;
        let all = |number: f32| vec![number; constants.len()];
        let (scale, shift) = match (node.operator(), position) {
            ("Add", _) => (all(1.0), constants),
            ("Sub", 1) => (all(1.0), constants.iter().map(|constant| -constant).collect()),
            ("Sub", _) => (all(-1.0), constants),
            ("Mul", _) => (constants.clone(), all(0.0)),
            ("Div", 1) => (constants.iter().map(|constant| constant.recip()).collect(), all(0.0)),
            _ => bail!("a constant cannot be combined in this way: add, subtract, multiply or divide by it"),
        };
        self.scale_and_shift(node, value, scale, shift)
    }

    /// A batch norm in inference.
    pub(super) fn batch_norm(&mut self, node: &Node<'a>) -> Result<()> {
        ensure!(!node.flag("training_mode", false)?, "it is in training mode: export for inference");
        let value = self.settled(node, node.input(0)?)?;
        let epsilon = f64::from(node.real("epsilon", 1e-5)?);
        let channels = self.shape(&value).channels;
        let channel = value.axes.list(1);
        ensure!(
            channel == [Axis::Channel] || channel.is_empty() && channels == 1,
            "its input has not its channels along axis 1"
        );
        let vector = |place: usize| {
            let found =
                self.argument(node, place)?.with_context(|| format!("it has no input {place}"))?.reals()?;
            ensure!(
                found.len() == channels,
                "its input {place} has {} values for {channels} channels",
                found.len()
            );
            Ok(found)
        };
        let [gamma, beta, mean, variance] = [vector(1)?, vector(2)?, vector(3)?, vector(4)?];
        let factor =
            |(&gamma, &variance): (&f32, &f32)| f64::from(gamma) / (f64::from(variance) + epsilon).sqrt();
        let factors: Vec<f64> = gamma.iter().zip(variance).map(factor).collect();
        let shift = beta.iter().zip(mean).zip(&factors);
        let shift = shift.map(|((&beta, &mean), factor)| (f64::from(beta) - f64::from(mean) * factor) as f32);
        let shift = shift.collect();
        self.scale_and_shift(node, value, factors.iter().map(|&factor| factor as f32).collect(), shift)
    }

    /// `scale * x + shift` for each channel.
    fn scale_and_shift(
        &mut self,
        node: &Node<'a>,
        value: Value,
        scale: Vec<f32>,
        shift: Vec<f32>,
    ) -> Result<()> {
        if value.sole && self.graph.fold_affine(value.tensor, &scale, &shift)? {
            self.pass(node, value);
            return Ok(());
        }
        let operator = Operator::DepthwiseConv2d(Window::POINT, Filter::new(scale, shift)?);
        self.add(node, operator, &[value.tensor], value.sides, value.axes)
    }

    /// Bounds, one after the other.
    pub(super) fn clamp(&mut self, node: &Node<'a>) -> Result<()> {
        let (mut low, mut high) = Activation::None.bounds();
        let mut chain = Vec::new();
        let mut next = Some(*node);
        while let Some((node, bounds)) = next.and_then(|node| Some((node, self.bounds(&node).ok()?))) {
            let clamp = |x: f32| x.max(bounds.0).min(bounds.1);
            (low, high) = (clamp(low), clamp(high));
            chain.push(node);
            next = self.only_reader(&node);
        }
        if chain.is_empty() {
            self.bounds(node)?;
        }
        let value = self.settled(node, self.computed(node)?)?;
        let nothing = (low, high) == Activation::None.bounds();
        if nothing || value.sole && self.graph.fuse_clamp(value.tensor, low, high) {
            chain.iter().for_each(|node| self.pass(node, value.clone()));
            return Ok(());
        }
        let activation = Activation::of_bounds(low, high)
            .with_context(|| format!("it clamps to [{low}, {high}]: only ReLU and ReLU6 are possible"))?;
        // A window of a single value and its clamp: an activation alone.
        let alone = Operator::MaxPool2d(Window::POINT);
        let last = *chain.last().context("it has no bounds")?;
        self.add_activated(&last, alone, activation, &[value.tensor], value.sides, value.axes)?;
        let value = self.value(last.output())?.clone();
        chain.iter().for_each(|node| self.pass(node, value.clone()));
        Ok(())
    }

    /// The only input of a node that is computed.
    fn computed(&self, node: &Node<'a>) -> Result<&'a str> {
        let mut computed = node.inputs().filter(|name| self.constants.get(name).is_none());
        match (computed.next(), computed.next()) {
            (Some(name), None) => Ok(name),
            _ => bail!("it has two computed inputs: that is possible for Add only"),
        }
    }

    /// What a node bounds its only computed input to; a node that does nothing bounds to all there is.
    fn bounds(&self, node: &Node<'a>) -> Result<(f32, f32)> {
        let all = Activation::None.bounds();
        let name = self.computed(node)?;
        match node.operator() {
            "Relu" => Ok((0.0, all.1)),
            "Clip" => {
                ensure!(node.optional(0) == Some(name), "its bounds are computed: they must be constant");
                let bound = |place, default| self.argument(node, place)?.map_or(Ok(default), single);
                Ok((bound(1, all.0)?, bound(2, all.1)?))
            }
            "Max" | "Min" => {
                let mut bounds = all;
                for constant in node.inputs().filter_map(|name| self.constants.get(name)) {
                    let bound = single(constant)?;
                    bounds = match node.operator() {
                        "Max" => (bounds.0.max(bound), bounds.1),
                        _ => (bounds.0, bounds.1.min(bound)),
                    };
                }
                Ok(bounds)
            }
            "Identity" | "Dropout" => self.check_idle(node).map(|()| all),
            _ => bail!("it is no bound"),
        }
    }
}

/// A constant that is one number.
fn single(constant: &Constant) -> Result<f32> {
    match constant.reals()? {
        [number] if !number.is_nan() => Ok(*number),
        other => bail!(
            "its constant must be a single value, found {} values, or one that is no number",
            other.len()
        ),
    }
}

/// A constant as one value for each of a value's channels.
fn per_channel(constant: &Constant, value: &Value, channels: usize) -> Result<Vec<f32>> {
    let values = constant.reals()?;
    let rank = value.sides.len();
    ensure!(
        constant.sides.len() <= rank && broadcast(&constant.sides, &value.sides)? == value.sides,
        "its constant is larger than its input"
    );
    let sides = widened(&constant.sides, rank);
    let wide: Vec<usize> = (0..rank).filter(|&axis| sides[axis] > 1).collect();
    match wide[..] {
        [] => Ok(vec![values[0]; channels]),
        [axis] if value.axes.list(axis) == [Axis::Channel] => Ok(values.to_vec()),
        _ => bail!("its constant has shape {:?}: one value, or one per channel is possible", constant.sides),
    }
}
