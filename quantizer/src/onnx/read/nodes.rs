//! One node after the other.

use super::axes::Axis;
use super::constant::Constant;
use super::constants::Constants;
use super::evaluate::shape;
use super::layout::layout;
use super::node::Node;
use super::shape::image;
use super::sides;
use super::walk::{Value, Walk};
use crate::graph::{Graph, Operator};
use crate::samples::Layout;
use anyhow::{Context, Result, bail, ensure};
use mobilenet::onnx::schema::tensor_proto::DataType;

/// The graph of nodes, and how the input lies. `input` is its name and `shape` its sides, `output` the output's name;
/// `constants` are the file's.
pub(super) fn walk<'a>(
    nodes: &'a [Node<'a>],
    mut constants: Constants<'a>,
    (input, shape): (&'a str, &[usize]),
    output: &'a str,
) -> Result<(Graph, Layout)> {
    for node in nodes {
        constants.evaluate(node).with_context(|| node.describe())?;
    }
    let layout = layout(nodes, &constants, input, shape);
    let (image, axes) = image(shape, layout);
    let graph = Graph::new(image);
    let value = Value { tensor: graph.input(), sides: shape.to_vec(), axes, border: None, sole: false };
    let mut walk = Walk::new(nodes, output, graph, constants);
    walk.values.insert(input, value);
    for node in nodes {
        walk.node(node).with_context(|| node.describe())?;
    }
    Ok((walk.finish()?, layout))
}

impl<'a> Walk<'a> {
    fn node(&mut self, node: &Node<'a>) -> Result<()> {
        // The shape of a computed tensor is a constant, and so is what follows from it.
        self.constants.evaluate(node)?;
        if self.constants.get(node.output()).is_some() || self.values.contains_key(node.output()) {
            return Ok(());
        }
        match node.operator() {
            "Transpose" => self.transpose(node),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => self.change_sides(node),
            "Shape" => {
                let sides = &self.value(node.input(0)?)?.sides;
                let found = shape(node, sides)?;
                self.constants.insert(node.output(), found)
            }
            "Add" => self.sum_or_affine(node),
            "Sub" | "Mul" | "Div" => self.affine(node),
            "BatchNormalization" => self.batch_norm(node),
            "Relu" | "Clip" | "Max" | "Min" => self.clamp(node),
            "Conv" => self.convolution(node),
            "AveragePool" => self.average_pool(node),
            "MaxPool" => self.max_pool(node),
            "GlobalAveragePool" | "ReduceMean" => self.mean(node),
            "Pad" => self.pad(node),
            "MatMul" => self.product(node),
            "Gemm" => self.gemm(node),
            "Softmax" => self.softmax(node),
            "Identity" | "Dropout" | "Cast" => {
                self.check_idle(node)?;
                let value = self.value(node.input(0)?)?.clone();
                self.pass(node, value);
                Ok(())
            }
            _ => bail!("it cannot be expressed by the operators of an int8 network"),
        }
    }

    /// Whether a node gives what it reads: a dropout in inference, a conversion to the type that is there already.
    pub(super) fn check_idle(&self, node: &Node<'_>) -> Result<()> {
        if node.operator() == "Dropout" {
            let training = self.argument(node, 2)?.map(Constant::integers).transpose()?;
            let inference = training.is_none_or(|training| training.iter().all(|&flag| flag == 0));
            ensure!(inference, "it is in training mode: export for inference");
        }
        let float = i64::from(DataType::Float as i32);
        ensure!(
            node.operator() != "Cast" || node.integer("to", 0)? == float,
            "it converts to another type than float32"
        );
        Ok(())
    }

    fn softmax(&mut self, node: &Node<'a>) -> Result<()> {
        let value = self.settled(node, node.input(0)?)?;
        let axis = sides::axis(node.integer("axis", -1)?, value.sides.len())?;
        ensure!(
            value.axes.list(axis) == [Axis::Channel],
            "a softmax is possible over the channels or over a vector"
        );
        self.add(node, Operator::Softmax, &[value.tensor], value.sides, value.axes)
    }
}
