//! Transposes and reshapes.

use super::axes::{Axes, Axis};
use super::evaluate::changed;
use super::node::Node;
use super::sides::{checked, permutation};
use super::walk::Walk;
use crate::graph::{Operator, Shape};
use crate::samples::Layout;
use anyhow::{Result, ensure};

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

impl<'a> Walk<'a> {
    /// A transpose is only another view of the same image.
    pub(super) fn transpose(&mut self, node: &Node<'a>) -> Result<()> {
        // A border knows the image's axes, not the file's.
        let mut value = self.value(node.input(0)?)?.clone();
        let order = permutation(node, value.sides.len())?;
        value.axes = value.axes.permuted(&order);
        value.sides = order.iter().map(|&axis| value.sides[axis]).collect();
        self.pass(node, value);
        Ok(())
    }

    /// So are other sides, where each axis of the image stays whole.
    pub(super) fn change_sides(&mut self, node: &Node<'a>) -> Result<()> {
        let mut value = self.settled(node, node.input(0)?)?;
        let sides = checked(changed(node, &value.sides, self.argument(node, 1)?)?)?;
        if let Some(axes) = value.axes.regrouped(&sides, self.shape(&value)) {
            (value.axes, value.sides) = (axes, sides);
            self.pass(node, value);
            return Ok(());
        }
        // Rows, columns or channels are divided: the values must lie as the graph has them.
        ensure!(
            value.axes.order().is_sorted() && sides.first() == Some(&1) && sides.len() <= 4,
            "it divides the axes of an image that lies channels first: reshape channels last"
        );
        let (shape, axes) = image(&sides, Layout::Nhwc);
        self.add(node, Operator::Reshape(shape), &[value.tensor], sides, axes)
    }
}
