//! From a float graph and its ranges to an int8 network.

mod activations;
mod filter;
mod multiplier;
mod table;

pub use activations::{Quantisation, Range};
pub use filter::Int8Filter;
pub(crate) use filter::{fully_connected_multipliers, multipliers};
pub use multiplier::{divide, multiplier};
pub use table::Function;

use crate::graph::{Border, Graph, Node, Operator, Shape, TensorId, Window};
use anyhow::{Context, Result, ensure};
use edge8::fixed_point::{Activation, Multiplier};
use edge8::operator::{self as engine, Kind};

/// The left shift of ADD's inputs before they are rescaled to their common scale.
const ADD_LEFT_SHIFT: i32 = 20;

/// An int8 activation tensor.
#[derive(Clone, Debug)]
pub struct Int8Tensor {
    /// As in the float graph.
    pub name: String,
    /// As in the float graph.
    pub shape: Shape,
    /// What its values mean.
    pub quantisation: Quantisation,
}

/// What an int8 layer computes, with all its constants.
#[derive(Clone, Debug)]
pub enum Int8Operator {
    /// Convolution over all input channels.
    Conv2d(Window, Int8Filter),
    /// One filter per channel.
    DepthwiseConv2d(Window, Int8Filter),
    /// Every input value with every output.
    FullyConnected(Int8Filter),
    /// First input, second input and sum to the common, common and output scale.
    Add([Multiplier; 3]),
    /// `s_in / s_out`, with 1/n folded in.
    Mean(Multiplier),
    /// The mean over the part of a window that lies in the image.
    AveragePool2d(Window),
    /// The largest value of a window.
    MaxPool2d(Window),
    /// Zero points around the input.
    Pad(Border),
    /// The same values in another shape; it costs nothing, the memory plan makes both tensors one.
    Reshape,
    /// Values that no input decides.
    Constant(Vec<i8>),
    /// The exponent's scale, and the smallest difference to the maximum whose exponential is not 0.
    Softmax(Multiplier, i32),
    /// A function of each value by itself, with its outputs for the inputs -128 to 127.
    Table(Function, Box<[i8; 256]>),
}

/// What an operator has in the weights section of a model image.
#[derive(Clone, Copy, Debug)]
pub enum Stored<'a> {
    /// Nothing.
    Nothing,
    /// int8 values as they are.
    Values(&'a [i8]),
    /// A matrix, and what each output channel has.
    Matrix(&'a Int8Filter),
    /// A depthwise kernel of this height and width, and what each output channel has.
    Depthwise(&'a Int8Filter, [usize; 2]),
}

impl Int8Operator {
    /// The operator's name as TensorFlow Lite writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Conv2d(..) => engine::Convolution::NAME,
            Self::DepthwiseConv2d(..) => engine::Depthwise::NAME,
            Self::FullyConnected(_) => engine::FullyConnected::NAME,
            Self::Add(_) => engine::Add::NAME,
            Self::Mean(_) => engine::Mean::NAME,
            Self::AveragePool2d(_) => engine::AveragePool::NAME,
            Self::MaxPool2d(_) => engine::MaxPool::NAME,
            Self::Pad(_) => engine::Pad::NAME,
            Self::Reshape => "RESHAPE",
            Self::Constant(_) => engine::Constant::NAME,
            Self::Softmax(..) => engine::Softmax::NAME,
            Self::Table(function, _) => function.name(),
        }
    }

    /// The window that it moves over its input.
    pub fn window(&self) -> Option<&Window> {
        match self {
            Self::Conv2d(window, _)
            | Self::DepthwiseConv2d(window, _)
            | Self::AveragePool2d(window)
            | Self::MaxPool2d(window) => Some(window),
            Self::FullyConnected(_)
            | Self::Add(_)
            | Self::Mean(_)
            | Self::Pad(_)
            | Self::Reshape
            | Self::Constant(_)
            | Self::Softmax(..)
            | Self::Table(..) => None,
        }
    }

    /// What it has beside its tensors and its numbers.
    pub fn stored(&self) -> Stored<'_> {
        match self {
            Self::Conv2d(_, filter) | Self::FullyConnected(filter) => Stored::Matrix(filter),
            Self::DepthwiseConv2d(window, filter) => Stored::Depthwise(filter, window.kernel),
            Self::Constant(values) => Stored::Values(values),
            Self::Table(_, values) => Stored::Values(&values[..]),
            Self::Add(_)
            | Self::Mean(_)
            | Self::AveragePool2d(_)
            | Self::MaxPool2d(_)
            | Self::Pad(_)
            | Self::Reshape
            | Self::Softmax(..) => Stored::Nothing,
        }
    }

    /// The multipliers of its results, one for each output channel where it has a filter.
    pub fn multipliers(&self) -> &[Multiplier] {
        match self {
            Self::Conv2d(_, filter) | Self::DepthwiseConv2d(_, filter) | Self::FullyConnected(filter) => {
                &filter.multipliers
            }
            Self::Add(multipliers) => multipliers,
            Self::Mean(multiplier) | Self::Softmax(multiplier, _) => std::slice::from_ref(multiplier),
            Self::AveragePool2d(_)
            | Self::MaxPool2d(_)
            | Self::Pad(_)
            | Self::Reshape
            | Self::Constant(_)
            | Self::Table(..) => &[],
        }
    }

    /// What a pad adds.
    pub fn border(&self) -> Option<&Border> {
        if let Self::Pad(border) = self { Some(border) } else { None }
    }
}

/// An int8 operator with its tensors and its fused clamp.
#[derive(Clone, Debug)]
pub struct Layer {
    /// As in the float graph.
    pub name: String,
    /// What it computes.
    pub operator: Int8Operator,
    /// Clamp on the output.
    pub activation: Activation,
    /// What it reads.
    pub inputs: Vec<TensorId>,
    /// What it writes.
    pub output: TensorId,
}

/// An int8 network: the layers and tensors of a float [`Graph`], in the same order.
#[derive(Clone, Debug)]
pub struct Network {
    /// All tensors; the input is the first.
    pub tensors: Vec<Int8Tensor>,
    /// In the order of execution.
    pub layers: Vec<Layer>,
    /// What the network answers with.
    pub output: TensorId,
}

impl Network {
    /// One tensor.
    pub fn tensor(&self, id: TensorId) -> &Int8Tensor {
        &self.tensors[id.index()]
    }
}

/// Quantises a graph whose tensors have the given ranges, in the order of [`Graph::tensors`].
///
/// A softmax's output is always in steps of 1/256, whatever its range.
///
/// # Errors
/// If there is not one finite range per tensor, or a layer cannot be expressed in int8.
pub fn quantise(graph: &Graph, ranges: &[Range]) -> Result<Network> {
    let count = graph.tensors().len();
    ensure!(ranges.len() == count, "{count} tensors need {count} ranges, found {}", ranges.len());
    let mut tensors = Vec::with_capacity(count);
    for (tensor, &range) in graph.tensors().iter().zip(ranges) {
        ensure!(
            range.min.is_finite() && range.max.is_finite() && range.min <= range.max,
            "the range of \"{}\" is [{}, {}]: the network gives no finite values, train it again",
            tensor.name,
            range.min,
            range.max
        );
        let quantisation = Quantisation::of(range);
        tensors.push(Int8Tensor { name: tensor.name.clone(), shape: tensor.shape, quantisation });
    }
    for node in graph.nodes() {
        if matches!(node.operator, Operator::Softmax) {
            tensors[node.output.index()].quantisation = Quantisation::PROBABILITY;
        }
        if node.operator.keeps_quantisation() {
            tensors[node.output.index()].quantisation = tensors[node.inputs[0].index()].quantisation;
        }
    }
    let layers = graph
        .nodes()
        .iter()
        .map(|node| layer(node, &tensors).with_context(|| format!("layer \"{}\" in int8", node.name)));
    Ok(Network { layers: layers.collect::<Result<_>>()?, output: graph.output(), tensors })
}

fn layer(node: &Node, tensors: &[Int8Tensor]) -> Result<Layer> {
    let quantisation = |id: TensorId| tensors[id.index()].quantisation;
    let (input, output) = (quantisation(node.inputs[0]), quantisation(node.output));
    let operator = match &node.operator {
        Operator::Conv2d(window, filter) => {
            Int8Operator::Conv2d(*window, Int8Filter::new(filter, input, output)?)
        }
        Operator::DepthwiseConv2d(window, filter) => {
            Int8Operator::DepthwiseConv2d(*window, Int8Filter::new(filter, input, output)?)
        }
        Operator::FullyConnected(filter) => {
            Int8Operator::FullyConnected(Int8Filter::fully_connected(filter, input, output)?)
        }
        Operator::Add => Int8Operator::Add(add(input, quantisation(node.inputs[1]), output)),
        Operator::Mean => {
            let shape = tensors[node.inputs[0].index()].shape;
            Int8Operator::Mean(mean(input, output, shape.height * shape.width))
        }
        Operator::AveragePool2d(window) => Int8Operator::AveragePool2d(*window),
        Operator::MaxPool2d(window) => Int8Operator::MaxPool2d(*window),
        Operator::Pad(border) => Int8Operator::Pad(*border),
        Operator::Reshape(_) => Int8Operator::Reshape,
        Operator::Softmax => {
            let (multiplier, diff_min) = softmax(input, 1.0);
            Int8Operator::Softmax(multiplier, diff_min)
        }
    };
    Ok(Layer {
        name: node.name.clone(),
        operator,
        activation: output.clamp(node.activation),
        inputs: node.inputs.clone(),
        output: node.output,
    })
}

/// Both inputs come to twice the larger scale, the sum from there to the output's.
pub(crate) fn add(first: Quantisation, second: Quantisation, output: Quantisation) -> [Multiplier; 3] {
    let [a, b, out] = [first, second, output].map(|q| f64::from(q.scale));
    let common = 2.0 * a.max(b);
    let sum = common / (f64::from(1 << ADD_LEFT_SHIFT) * out);
    [multiplier(a / common), multiplier(b / common), multiplier(sum)]
}

/// The mean of `count` values.
pub(crate) fn mean(input: Quantisation, output: Quantisation, count: usize) -> Multiplier {
    divide(multiplier(f64::from(input.scale) / f64::from(output.scale)), count)
}

/// TensorFlow Lite's softmax of `beta * x`: differences to the maximum in Q5.26.
pub(crate) fn softmax(input: Quantisation, beta: f32) -> (Multiplier, i32) {
    const INTEGER_BITS: i32 = 5;
    let fraction = f64::from(1 << (31 - INTEGER_BITS));
    let scale =
        multiplier((f64::from(beta) * f64::from(input.scale) * fraction).min(f64::from((1 << 30) - 1)));
    let radius = (f64::from((1 << INTEGER_BITS) - 1) * fraction / 2f64.powi(i32::from(scale.shift))).floor();
    // Differences of two int8 values never go below -255.
    (scale, -(radius.min(255.0) as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn add_of_equal_scales_halves_both() {
        let q = Quantisation { scale: 0.02, zero_point: 3 };
        let [a, b, out] = add(q, q, q);
        assert_eq!((a, b), (multiplier(0.5), multiplier(0.5)));
        assert_eq!(out, multiplier(2f64.powi(-19)));
    }

    #[test]
    fn softmax_keeps_differences_within_its_radius() {
        // 0.1 * 2^26 = f * 2^23 with f = 0.8; the radius is 31 * 2^26 / 2^23 = 248.
        let (scale, diff_min) = softmax(Quantisation { scale: 0.1, zero_point: 0 }, 1.0);
        assert_eq!((scale.shift, diff_min), (23, -248));
        // A scale of 40 exceeds the cap: 2^30 - 1 has the shift 30, and the radius is 1.
        let (scale, diff_min) = softmax(Quantisation { scale: 40.0, zero_point: 0 }, 1.0);
        assert_eq!((scale.mantissa, scale.shift, diff_min), (2147483646, 30, -1));
        let (_, diff_min) = softmax(Quantisation { scale: 1e-4, zero_point: 0 }, 1.0);
        assert_eq!(diff_min, -255);
    }
}
