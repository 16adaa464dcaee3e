//! Matrix products with constant weights.

use super::axes::{Axes, Axis, places};
use super::constant::Constant;
use super::node::Node;
use super::sides::count;
use super::walk::{Value, Walk};
use crate::graph::{Filter, Operator, Window};
use anyhow::{Context, Result, bail, ensure};

/// A product of a value and constant weights.
struct Product {
    /// The weights of each unit, as many as the summed axis is long.
    rows: Vec<Vec<f32>>,
    /// One per unit.
    bias: Vec<f32>,
    /// The axis of the data that is summed over.
    summed: usize,
    /// Whether the units have an axis in the output: in the place of the summed one.
    has_units: bool,
}

impl<'a> Walk<'a> {
    /// A fully connected layer, or a 1x1 convolution where the product is over the channels of an image.
    pub(super) fn product(&mut self, node: &Node<'a>) -> Result<()> {
        let (left, right) = (node.input(0)?, node.input(1)?);
        let (data, weights, is_right) = match (self.constants.get(left), self.constants.get(right)) {
            (None, Some(weights)) => (left, weights, true),
            (Some(weights), None) => (right, weights, false),
            _ => bail!("it multiplies two computed tensors: one must be constant"),
        };
        let rank = self.value(data)?.sides.len();
        let (inputs, units, has_units) = matrix(weights, is_right, rank)?;
        let values = weights.reals()?;
        let at =
            |unit: usize, input: usize| if is_right { input * units + unit } else { unit * inputs + input };
        let row = |unit| (0..inputs).map(|input| values[at(unit, input)]).collect();
        let rows = (0..units).map(row).collect();
        let summed = rank.checked_sub(if is_right { 1 } else { 2 }).context("its input has too few axes")?;
        multiply(self, node, data, Product { rows, bias: vec![0.0; units], summed, has_units })
    }

    /// A fully connected layer with its bias.
    pub(super) fn gemm(&mut self, node: &Node<'a>) -> Result<()> {
        ensure!(!node.flag("transA", false)?, "it transposes its input: transpose its weights only");
        let weights = self.argument(node, 1)?.context("it needs weights")?;
        let [first, second] = weights.sides[..] else {
            bail!("its weights have shape {:?}: a matrix is expected", weights.sides)
        };
        let transposed = node.flag("transB", false)?;
        let (inputs, units) = if transposed { (second, first) } else { (first, second) };
        let (alpha, beta) = (node.real("alpha", 1.0)?, node.real("beta", 1.0)?);
        let values = weights.reals()?;
        let at =
            |unit: usize, input: usize| if transposed { unit * inputs + input } else { input * units + unit };
        let row = |unit| (0..inputs).map(|input| alpha * values[at(unit, input)]).collect();
        let rows = (0..units).map(row).collect();
        let bias = match self.argument(node, 2)? {
            None => vec![0.0; units],
            Some(bias) => {
                let found = bias.reals()?;
                let along = bias.sides.last().is_none_or(|&side| side == found.len());
                ensure!(
                    found.len() == 1 || found.len() == units && along,
                    "its bias has shape {:?} for {units} units",
                    bias.sides
                );
                found.iter().cycle().take(units).map(|bias| beta * bias).collect()
            }
        };
        let data = node.input(0)?;
        ensure!(self.value(data)?.sides.len() == 2, "its input has not 2 dimensions");
        multiply(self, node, data, Product { rows, bias, summed: 1, has_units: true })
    }
}

/// Appends the product.
fn multiply<'a>(walk: &mut Walk<'a>, node: &Node<'a>, data: &'a str, product: Product) -> Result<()> {
    let Product { rows, bias, summed, has_units } = product;
    let value = walk.settled(node, data)?;
    let shape = walk.shape(&value);
    let (units, length) = (rows.len(), rows.first().map_or(0, Vec::len));
    ensure!(value.sides[summed] == length, "its input and its weights have different lengths");
    let Value { tensor, mut sides, axes, .. } = value;
    let over = axes.list(summed).to_vec();
    let mut lists: Vec<Vec<Axis>> = (0..axes.rank()).map(|axis| axes.list(axis).to_vec()).collect();
    lists[summed].clear();
    sides[summed] = units;
    let fully_connected = lists.iter().all(Vec::is_empty);
    if fully_connected || units > 1 {
        lists[summed] = if units > 1 { vec![Axis::Channel] } else { Vec::new() };
    }
    if !has_units {
        lists.remove(summed);
        sides.remove(summed);
    }
    let axes = Axes::of_lists(lists);
    if fully_connected {
        let places = places(&over, shape);
        let rows = rows.iter().flat_map(|row| places.iter().map(|&place| row[place]));
        let operator = Operator::FullyConnected(Filter::new(rows.collect(), bias)?);
        return walk.add(node, operator, &[tensor], sides, axes);
    }
    ensure!(
        over == [Axis::Channel] || (over.is_empty() && shape.channels == 1),
        "it sums over some axes of an image: flatten all of them before, or none"
    );
    let operator = Operator::Conv2d(Window::POINT, Filter::new(rows.concat(), bias)?);
    walk.add(node, operator, &[tensor], sides, axes)
}

/// Inputs and units of a matrix on the right or left of a product with data of `rank` axes, and whether the units have an
/// axis there: those of a vector have none.
fn matrix(weights: &Constant, is_right: bool, rank: usize) -> Result<(usize, usize, bool)> {
    let sides = &weights.sides;
    ensure!(sides.len() <= rank.max(2), "its weights have shape {sides:?}, its input has {rank} axes");
    match sides[..] {
        [] => bail!("its weights are a single value: multiply by it"),
        [inputs] => Ok((inputs, 1, false)),
        [.., first, second] => {
            let others = count(&sides[..sides.len() - 2]);
            ensure!(others == 1, "its weights differ from one part of a batch to the other");
            let (inputs, units) = if is_right { (first, second) } else { (second, first) };
            Ok((inputs, units, true))
        }
    }
}
