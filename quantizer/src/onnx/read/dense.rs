//! Matrix products with constant weights.

use super::axes::{Axes, Axis, places};
use super::walk::{Walk, floats, sides};
use crate::graph::{Filter, Operator, Shape, Window};
use anyhow::{Context, Result, bail, ensure};
use tract_core::internal::*;
use tract_core::ops::einsum::EinSum;

impl Walk<'_> {
    /// A fully connected layer, or a 1x1 convolution where the product is over the channels of an image.
    pub(super) fn product(&mut self, node: &TypedNode, product: &EinSum) -> Result<()> {
        let weights = node.inputs.iter().position(|&input| self.constant(input).is_some());
        let weights = weights.context("it multiplies two computed tensors: one must be constant")?;
        let value = self.settled(node.inputs[1 - weights])?;
        let shape = self.shape(&value);
        let constant = self.constant(node.inputs[weights]).context("it needs weights")?;
        let roles = Roles::of(&product.axes, weights, constant.shape())?;
        let rows = roles.rows(&floats(constant)?, constant.shape());
        let (units, length) = (rows.len(), constant.shape()[roles.summed.weights]);
        let data = sides(self.model.outlet_fact(node.inputs[1 - weights])?)?;
        ensure!(data[roles.summed.data] == length, "its input and its weights have different lengths");

        let rank = self.model.outlet_fact(node.id.into())?.rank();
        let mut lists = vec![Vec::new(); rank];
        for (from, to) in roles.kept {
            lists[to] = value.axes.list(from).to_vec();
        }
        let over = value.axes.list(roles.summed.data);
        if lists.iter().all(Vec::is_empty) {
            let places = places(over, shape);
            let rows = rows.iter().flat_map(|row| places.iter().map(|&place| row[place]));
            let filter = Filter::new(rows.collect(), vec![0.0; units])?;
            let axes = Axes::vector(rank, roles.unit.output, Shape::new(1, 1, units));
            return self.add(node.id.into(), Operator::FullyConnected(filter), &[value.tensor], axes);
        }
        ensure!(
            over == [Axis::Channel] || (over.is_empty() && shape.channels == 1),
            "it sums over some axes of an image: flatten all of them before, or none"
        );
        if units > 1 {
            lists[roles.unit.output] = vec![Axis::Channel];
        }
        let operator = Operator::Conv2d(Window::POINT, Filter::new(rows.concat(), vec![0.0; units])?);
        self.add(node.id.into(), operator, &[value.tensor], Axes::of_lists(lists))
    }
}

/// What the axes of a product's data, weights and output are to it.
struct Roles {
    summed: Summed,
    unit: Unit,
    /// Axes of the data and where they are in the output.
    kept: Vec<(usize, usize)>,
}

/// The axis that the product sums over.
struct Summed {
    data: usize,
    weights: usize,
}

/// The axis of the layer's units, from the weights into the output.
struct Unit {
    weights: usize,
    output: usize,
}

impl Roles {
    /// `weights` is the position of the constant among the two inputs, `sides` are its sides.
    fn of(axes: &AxesMapping, weights: usize, sides: &[usize]) -> Result<Self> {
        let (mut summed, mut units, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for axis in axes.iter_all_axes() {
            match (&axis.inputs[1 - weights][..], &axis.inputs[weights][..], &axis.outputs[0][..]) {
                (&[data], &[weights], []) => summed.push(Summed { data, weights }),
                ([], &[weights], &[output]) => units.push(Unit { weights, output }),
                (&[from], [], &[to]) => kept.push((from, to)),
                (&[from], &[weights], &[to]) if sides[weights] == 1 => kept.push((from, to)),
                _ => bail!("its weights differ from one part of a batch to the other"),
            }
        }
        // Beside the units' axis there may be some of length 1.
        units.sort_by_key(|unit| sides[unit.weights]);
        let (Some(unit), Some(summed)) = (units.pop(), summed.pop()) else {
            bail!("its weights are not a matrix")
        };
        ensure!(
            sides[unit.weights] * sides[summed.weights] == sides.iter().product::<usize>(),
            "its weights have shape {sides:?}: a matrix is expected"
        );
        Ok(Self { summed, unit, kept })
    }

    /// The weights of each unit.
    fn rows(&self, weights: &[f32], sides: &[usize]) -> Vec<Vec<f32>> {
        let step = |axis: usize| sides[axis + 1..].iter().product::<usize>();
        let (unit, summed) = (self.unit.weights, self.summed.weights);
        let row = |index: usize| {
            let from = index * step(unit);
            (0..sides[summed]).map(|input| weights[from + input * step(summed)]).collect()
        };
        (0..sides[unit]).map(row).collect()
    }
}
