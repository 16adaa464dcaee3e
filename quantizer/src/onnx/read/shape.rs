//! Transposes and reshapes.

use super::axes::{Axes, Axis};
use super::walk::{Value, Walk, sides};
use crate::graph::{Operator, Shape};
use crate::samples::Layout;
use anyhow::{Result, ensure};
use tract_core::internal::*;

/// A tensor of the file as an image. A vector is one of channels, a matrix an image of one channel.
pub(super) fn image(sides: &[usize], layout: Layout) -> (Shape, Axes) {
    let (shape, axes) = match (sides, layout) {
        (&[_, c, h, w], Layout::Nchw) => (Shape::new(h, w, c), vec![Axis::Channel, Axis::Row, Axis::Column]),
        (&[_, h, w, c], Layout::Nhwc) => (Shape::new(h, w, c), Axis::ALL.to_vec()),
        (&[_, h, w], _) => (Shape::new(h, w, 1), vec![Axis::Row, Axis::Column]),
        _ => (Shape::new(1, 1, sides.iter().product()), vec![Axis::Channel]),
    };
    let axes: Vec<_> = std::iter::once(None).chain(axes.into_iter().map(Some)).collect();
    (shape, Axes::new(&axes, shape))
}

impl Walk<'_> {
    /// Most changes of the axes are only another view of the same image.
    pub(super) fn change_axes(&mut self, node: &TypedNode, change: &AxisOp) -> Result<()> {
        let outlet = OutletId::from(node.id);
        let mut value = self.value(node.inputs[0])?.clone();
        value.axes = match change {
            AxisOp::Move(from, to) => value.axes.moved(*from, *to)?,
            AxisOp::Add(at) => value.axes.added(*at),
            AxisOp::Rm(at) => value.axes.removed(*at)?,
            AxisOp::Reshape(at, from, to) => {
                value = self.settled(node.inputs[0])?;
                let to = to.iter().map(DimLike::to_usize).collect::<std::result::Result<Vec<_>, _>>()?;
                let shape = self.shape(&value);
                match value.axes.regrouped(*at, from.len(), &to, shape) {
                    Some(axes) => axes,
                    None => return self.reshape(outlet, &value),
                }
            }
        };
        self.pass(outlet, value);
        Ok(())
    }

    /// A reshape that divides rows, columns or channels: the values must lie as the graph has them.
    fn reshape(&mut self, outlet: OutletId, value: &Value) -> Result<()> {
        let sides = sides(self.model.outlet_fact(outlet)?)?;
        ensure!(
            value.axes.order().is_sorted() && sides[0] == 1 && sides.len() <= 4,
            "it divides the axes of an image that lies channels first: reshape channels last"
        );
        let (shape, axes) = image(&sides, Layout::Nhwc);
        self.add(outlet, Operator::Reshape(shape), &[value.tensor], axes)
    }
}
