//! What is refused before anything is computed.

use super::node::Node;
use super::sides::MOST_VALUES;
use anyhow::{Context, Result, bail, ensure};
use mobilenet::onnx::schema::tensor_proto::DataType;
use mobilenet::onnx::schema::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use std::collections::HashSet;

/// The longest side of an input.
const LONGEST_SIDE: i64 = u16::MAX as i64;

/// The first operator set whose softmax has an axis of its own.
const OLDEST_OPERATOR_SET: i64 = 13;

/// Operators that can become some of the graph's, or only move shapes about.
const OPERATORS: [&str; 31] = [
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "Div",
    "Dropout",
    "Flatten",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "Identity",
    "MatMul",
    "Max",
    "MaxPool",
    "Min",
    "Mul",
    "Pad",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Shape",
    "Slice",
    "Softmax",
    "Squeeze",
    "Sub",
    "Transpose",
    "Unsqueeze",
];

/// What a file holds.
#[derive(Debug)]
pub(super) struct File<'a> {
    /// The nodes that the output needs, in an order of execution.
    pub(super) nodes: Vec<Node<'a>>,
    /// The constants that they read, and maybe others.
    pub(super) constants: &'a [TensorProto],
    /// The name of the only input.
    pub(super) input: &'a str,
    /// Its sides for a batch of one.
    pub(super) shape: Vec<usize>,
    /// The name of the only output.
    pub(super) output: &'a str,
}

/// Checks a file.
pub(super) fn admit(model: &ModelProto) -> Result<File<'_>> {
    let graph = model.graph.as_ref().context("the file has no graph: export it again")?;
    let set = model.opset_import.iter().find(|set| matches!(set.domain.as_str(), "" | "ai.onnx"));
    let version = set.context("the file names no operator set: export it again")?.version;
    ensure!(
        version >= OLDEST_OPERATOR_SET,
        "operator set {version}: export with {OLDEST_OPERATOR_SET} or newer"
    );
    let mut nodes = Vec::new();
    for proto in &graph.node {
        let node = Node::new(proto)?;
        operator(proto).with_context(|| format!("node \"{}\"", node.name()))?;
        nodes.push(node);
    }
    let output = defined(graph, &nodes)?;
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let inputs: Vec<_> =
        graph.input.iter().filter(|input| !constants.contains(input.name.as_str())).collect();
    let [input] = inputs[..] else {
        bail!("the network has {} inputs: exactly one is possible", inputs.len());
    };
    let shape = shape(input).with_context(|| format!("input \"{}\"", input.name))?;
    let nodes = needed(nodes, output);
    Ok(File { nodes, constants: &graph.initializer, input: &input.name, shape, output })
}

fn operator(node: &NodeProto) -> Result<()> {
    let known = OPERATORS.contains(&node.op_type.as_str()) && matches!(node.domain.as_str(), "" | "ai.onnx");
    ensure!(known, "the operator {} is not supported; these are: {}", node.op_type, OPERATORS.join(", "));
    Ok(())
}

/// Every value is written once, before it is read, and there is one output: its name.
fn defined<'a>(graph: &'a GraphProto, nodes: &[Node<'a>]) -> Result<&'a str> {
    let inputs = graph.input.iter().map(|input| input.name.as_str());
    let mut names: HashSet<&str> = inputs.chain(graph.initializer.iter().map(|t| t.name.as_str())).collect();
    for node in nodes {
        for name in node.inputs() {
            ensure!(names.contains(name), "\"{name}\" is read before a node writes it");
        }
        for name in node.outputs() {
            ensure!(names.insert(name), "\"{name}\" is written twice");
        }
    }
    let [output] = &graph.output[..] else {
        bail!("the network has {} outputs: exactly one is possible", graph.output.len());
    };
    ensure!(names.contains(output.name.as_str()), "no node writes the output \"{}\"", output.name);
    Ok(&output.name)
}

/// The nodes on which the output depends.
fn needed<'a>(nodes: Vec<Node<'a>>, output: &'a str) -> Vec<Node<'a>> {
    let mut wanted = HashSet::from([output]);
    let mut kept = Vec::new();
    for node in nodes.into_iter().rev() {
        if node.outputs().any(|name| wanted.contains(name)) {
            wanted.extend(node.inputs());
            kept.push(node);
        }
    }
    kept.reverse();
    kept
}

fn shape(input: &ValueInfoProto) -> Result<Vec<usize>> {
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let tensor = tensor.context("it is no tensor")?;
    ensure!(tensor.elem_type == DataType::Float as i32, "it is not of 32-bit floats: export in float32");
    let dimensions = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    ensure!(
        (2..=4).contains(&dimensions.len()),
        "it has {} dimensions: [batch, channels, rows, columns] and the like are expected",
        dimensions.len()
    );
    let mut shape = vec![1];
    for (index, dimension) in dimensions.iter().enumerate().skip(1) {
        match dimension.dim_value {
            Some(side @ 1..=LONGEST_SIDE) => shape.push(side as usize),
            _ => bail!("dimension {index} has no fixed size from 1 to 65535: export with fixed sizes"),
        }
    }
    // Three sides of 16 bits cannot overflow.
    ensure!(shape.iter().product::<usize>() <= MOST_VALUES, "{shape:?} is too large for any device");
    Ok(shape)
}
