//! What is refused before anything is computed.

use anyhow::{Context, Result, bail, ensure};
use std::collections::{HashMap, HashSet};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto, type_proto};

/// Most values of one tensor: far beyond any microcontroller, and little enough to be counted safely.
pub(super) const MOST_VALUES: usize = 1 << 26;

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

/// The operators of the file's nodes, by the names that tract gives the nodes.
#[derive(Debug)]
pub(super) struct Nodes(HashMap<String, String>);

impl Nodes {
    /// Name and operator of the node that a node of tract's model was made from.
    pub(super) fn origin<'a>(&'a self, name: &'a str) -> Option<(&'a str, &'a str)> {
        let mut name = name;
        loop {
            if let Some((name, operator)) = self.0.get_key_value(name) {
                return Some((name, operator));
            }
            // tract appends parts such as ".low" to the name.
            name = &name[..name.rfind('.')?];
        }
    }
}

/// Checks a file; the nodes, and the shape of the only input for a batch of one.
pub(super) fn admit(model: &ModelProto) -> Result<(Nodes, Vec<usize>)> {
    let graph = model.graph.as_ref().context("the file has no graph: export it again")?;
    let set = model.opset_import.iter().find(|set| matches!(set.domain.as_str(), "" | "ai.onnx"));
    let version = set.context("the file names no operator set: export it again")?.version;
    ensure!(
        version >= OLDEST_OPERATOR_SET,
        "operator set {version}: export with {OLDEST_OPERATOR_SET} or newer"
    );
    let mut nodes = HashMap::new();
    for node in &graph.node {
        let first = node.output.first().map_or("", String::as_str);
        let name = if node.name.is_empty() { first } else { &node.name };
        operator(node).with_context(|| format!("node \"{name}\""))?;
        nodes.insert(name.to_owned(), node.op_type.clone());
    }
    defined(graph)?;
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let inputs: Vec<_> =
        graph.input.iter().filter(|input| !constants.contains(input.name.as_str())).collect();
    let [input] = inputs[..] else {
        bail!("the network has {} inputs: exactly one is possible", inputs.len());
    };
    let shape = shape(input).with_context(|| format!("input \"{}\"", input.name))?;
    Ok((Nodes(nodes), shape))
}

fn operator(node: &NodeProto) -> Result<()> {
    let known = OPERATORS.contains(&node.op_type.as_str()) && matches!(node.domain.as_str(), "" | "ai.onnx");
    ensure!(known, "the operator {} is not supported; these are: {}", node.op_type, OPERATORS.join(", "));
    Ok(())
}

/// Every value is written before it is read, and there is one output.
fn defined(graph: &GraphProto) -> Result<()> {
    let inputs = graph.input.iter().map(|input| input.name.as_str());
    let mut names: HashSet<&str> = inputs.chain(graph.initializer.iter().map(|t| t.name.as_str())).collect();
    for node in &graph.node {
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            ensure!(names.contains(name.as_str()), "\"{name}\" is read before a node writes it");
        }
        names.extend(node.output.iter().map(String::as_str));
    }
    let [output] = &graph.output[..] else {
        bail!("the network has {} outputs: exactly one is possible", graph.output.len());
    };
    ensure!(names.contains(output.name.as_str()), "no node writes the output \"{}\"", output.name);
    Ok(())
}

fn shape(input: &ValueInfoProto) -> Result<Vec<usize>> {
    let kind = input.r#type.as_ref().and_then(|kind| kind.value.as_ref());
    let Some(type_proto::Value::TensorType(tensor)) = kind else { bail!("it is no tensor") };
    ensure!(tensor.elem_type == DataType::Float as i32, "it is not of 32-bit floats: export in float32");
    let dimensions = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    ensure!(
        (2..=4).contains(&dimensions.len()),
        "it has {} dimensions: [batch, channels, rows, columns] and the like are expected",
        dimensions.len()
    );
    let mut shape = vec![1];
    for (index, dimension) in dimensions.iter().enumerate().skip(1) {
        match &dimension.value {
            Some(Value::DimValue(side)) if (1..=i64::from(u16::MAX)).contains(side) => {
                shape.push(*side as usize);
            }
            _ => bail!("dimension {index} has no fixed size from 1 to 65535: export with fixed sizes"),
        }
    }
    // Three sides of 16 bits cannot overflow.
    ensure!(shape.iter().product::<usize>() <= MOST_VALUES, "{shape:?} is too large for any device");
    Ok(shape)
}
