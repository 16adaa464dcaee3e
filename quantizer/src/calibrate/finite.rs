//! What is refused because 32-bit floats do not hold it: no range has room for it, and an activation can hide it.

use crate::graph::{Graph, Node, Operator, Shape};
use crate::quantize::Range;
use anyhow::{Result, ensure};

/// The widest range of a tensor: half of what 32-bit floats hold, so that no rounding leaves them.
const WIDEST: f32 = f32::MAX / 2.0;

/// An image for which a tensor of the float network is not finite.
#[derive(Clone, Debug, PartialEq)]
pub struct NotFinite {
    /// The index of the image.
    pub image: usize,
    /// The name of the first such tensor.
    pub tensor: String,
    /// What it holds: an infinity, or no number.
    pub value: f32,
}

impl std::fmt::Display for NotFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { image, tensor, value } = self;
        let cause = if tensor == Graph::INPUT {
            "its values are too large, check the normalisation"
        } else {
            "the weights up to there, or the image's values, are too large for 32-bit floats"
        };
        write!(f, "image {image}: \"{tensor}\" of the float network holds {value}: {cause}")
    }
}

impl std::error::Error for NotFinite {}

/// The range of the values of a tensor for one image, `image` and `tensor` being its index and name.
///
/// # Errors
/// [`NotFinite`].
pub(super) fn range(image: usize, tensor: &str, values: &[f32]) -> Result<Range, NotFinite> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(NotFinite { image, tensor: tensor.to_owned(), value }),
        None => Ok(Range::of(values)),
    }
}

/// Checks that no sum of a node can leave 32-bit floats, whatever the order of its terms: a ReLU behind it would make 0 of
/// what is no number. `observed` are the ranges of all tensors.
///
/// # Errors
/// Names the tensor or the layer.
pub(super) fn check_sums(graph: &Graph, observed: &[Range]) -> Result<()> {
    for (tensor, range) in graph.tensors().iter().zip(observed) {
        ensure!(
            range.width() <= WIDEST,
            "\"{}\" of the float network has values from {} to {}: too far apart for 32-bit floats, train it again",
            tensor.name,
            range.min,
            range.max
        );
    }
    for node in graph.nodes() {
        let inputs = node.inputs.iter().map(|id| (graph.tensor(*id).shape, observed[id.index()]));
        let largest = largest_sum(node, &inputs.collect::<Vec<_>>());
        ensure!(
            largest <= f64::from(WIDEST),
            "layer \"{}\" of the float network forms sums of up to {largest:e}: too large for 32-bit floats, train it again",
            node.name
        );
    }
    Ok(())
}

/// A bound on the absolute value of all sums that a node forms of inputs with these shapes and ranges.
fn largest_sum(node: &Node, inputs: &[(Shape, Range)]) -> f64 {
    let largest = |range: Range| f64::from(range.min.abs().max(range.max.abs()));
    let (shape, range) = inputs[0];
    match &node.operator {
        Operator::Conv2d(_, filter)
        | Operator::DepthwiseConv2d(_, filter)
        | Operator::FullyConnected(filter) => {
            let rows = filter.weights().chunks_exact(filter.row_len()).zip(filter.bias());
            let sum = |row: &[f32]| row.iter().map(|weight| f64::from(weight.abs())).sum::<f64>();
            let sums = rows.map(|(row, bias)| sum(row) * largest(range) + f64::from(bias.abs()));
            sums.fold(0.0, f64::max)
        }
        Operator::Add => inputs.iter().map(|(_, range)| largest(*range)).sum(),
        Operator::Mean => (shape.height * shape.width) as f64 * largest(range),
        Operator::AveragePool2d(window) => window.taps() as f64 * largest(range),
        Operator::MaxPool2d(_) | Operator::Pad(_) | Operator::Reshape(_) | Operator::Softmax => {
            largest(range)
        }
    }
}
