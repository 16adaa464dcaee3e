//! The operators of the float graph and the shapes they produce.

use super::shape::Shape;
use super::window::Window;
use anyhow::{Result, ensure};

/// What follows an operator, fused into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
}

impl Activation {
    /// The smallest interval of values that the activation can leave.
    pub fn bounds(self) -> (f32, f32) {
        match self {
            Self::None => (f32::NEG_INFINITY, f32::INFINITY),
            Self::Relu => (0.0, f32::INFINITY),
            Self::Relu6 => (0.0, 6.0),
        }
    }

    /// The activation with these bounds, if there is one.
    pub fn of_bounds(low: f32, high: f32) -> Option<Self> {
        [Self::None, Self::Relu, Self::Relu6]
            .into_iter()
            .find(|activation| activation.bounds() == (low, high))
    }
}

/// Weights and biases: one row of weights per output channel.
///
/// A row is `[rows][columns][input channels]` for a convolution, `[rows][columns]` for a depthwise convolution (whose
/// output channel c reads input channel c / depth multiplier) and the input's values in NHWC order for a fully connected
/// layer.
#[derive(Clone, Debug)]
pub struct Filter {
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Filter {
    /// `bias.len()` rows of equal length.
    ///
    /// # Errors
    /// If the weights cannot be divided among the biases, or a value is not finite.
    pub fn new(weights: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        ensure!(
            !bias.is_empty() && !weights.is_empty() && weights.len().is_multiple_of(bias.len()),
            "{} weights do not divide into {} output channels",
            weights.len(),
            bias.len()
        );
        ensure!(
            weights.iter().chain(&bias).all(|value| value.is_finite()),
            "a weight or bias is not finite: the training has diverged, train again with a lower learning rate"
        );
        Ok(Self { weights, bias })
    }

    /// All rows, one after the other.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// One value per output channel.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Output channels.
    pub fn channels(&self) -> usize {
        self.bias.len()
    }

    /// Weights per output channel.
    pub fn row_len(&self) -> usize {
        self.weights.len() / self.bias.len()
    }
}

/// What a pad adds on each side, `[rows, columns, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Border {
    /// Above, to the left, below the first channel.
    pub before: [usize; 3],
    /// Below, to the right, above the last channel.
    pub after: [usize; 3],
}

/// What a node computes.
#[derive(Clone, Debug)]
pub enum Operator {
    /// Convolution over all input channels.
    Conv2d(Window, Filter),
    /// One or several filters per input channel.
    DepthwiseConv2d(Window, Filter),
    /// Every input value with every output.
    FullyConnected(Filter),
    /// The sum of two tensors; sides of 1 of the second are repeated.
    Add,
    /// The mean over rows and columns.
    Mean,
    /// The mean over the part of a window that lies in the image.
    AveragePool2d(Window),
    /// The largest value of a window.
    MaxPool2d(Window),
    /// Zeros around the input.
    Pad(Border),
    /// The same values in another shape.
    Reshape(Shape),
    /// exp(x) / sum(exp(x)) over the channels.
    Softmax,
}

impl Operator {
    /// The operator's name as TensorFlow Lite writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Conv2d(..) => "CONV_2D",
            Self::DepthwiseConv2d(..) => "DEPTHWISE_CONV_2D",
            Self::FullyConnected(_) => "FULLY_CONNECTED",
            Self::Add => "ADD",
            Self::Mean => "MEAN",
            Self::AveragePool2d(_) => "AVERAGE_POOL_2D",
            Self::MaxPool2d(_) => "MAX_POOL_2D",
            Self::Pad(_) => "PAD",
            Self::Reshape(_) => "RESHAPE",
            Self::Softmax => "SOFTMAX",
        }
    }

    /// Weights and biases, for the operators that have some.
    pub fn filter(&self) -> Option<&Filter> {
        match self {
            Self::Conv2d(_, filter) | Self::DepthwiseConv2d(_, filter) | Self::FullyConnected(filter) => {
                Some(filter)
            }
            _ => None,
        }
    }

    /// As [`filter`](Self::filter), to change it.
    pub(super) fn filter_mut(&mut self) -> Option<&mut Filter> {
        match self {
            Self::Conv2d(_, filter) | Self::DepthwiseConv2d(_, filter) | Self::FullyConnected(filter) => {
                Some(filter)
            }
            _ => None,
        }
    }

    /// Whether the output only moves or chooses among the input's values, so that both share a range and, in int8, a
    /// scale and a zero point.
    pub fn keeps_quantisation(&self) -> bool {
        matches!(self, Self::AveragePool2d(_) | Self::MaxPool2d(_) | Self::Pad(_) | Self::Reshape(_))
    }

    /// The output's shape for inputs of these shapes.
    ///
    /// # Errors
    /// If the inputs do not fit.
    pub(super) fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let expected = if matches!(self, Self::Add) { 2 } else { 1 };
        ensure!(inputs.len() == expected, "{} takes {expected} inputs, found {}", self.name(), inputs.len());
        let input = inputs[0];
        match self {
            Self::Conv2d(window, filter) => {
                check_row(filter, window.taps() * input.channels)?;
                window.output(input, filter.channels())
            }
            Self::DepthwiseConv2d(window, filter) => {
                let channels = filter.channels();
                ensure!(
                    channels.is_multiple_of(input.channels),
                    "{channels} filters for {} channels: a multiple is expected",
                    input.channels
                );
                check_row(filter, window.taps())?;
                window.output(input, channels)
            }
            Self::FullyConnected(filter) => {
                check_row(filter, input.volume())?;
                Ok(Shape::new(1, 1, filter.channels()))
            }
            Self::Add => {
                ensure!(
                    inputs[1].repeats_to(input),
                    "ADD of {input} and {}: shapes must be equal, or sides of the second 1",
                    inputs[1]
                );
                Ok(input)
            }
            Self::Mean => Ok(Shape::new(1, 1, input.channels)),
            Self::AveragePool2d(window) | Self::MaxPool2d(window) => window.output(input, input.channels),
            Self::Pad(border) => Ok(border.output(input)),
            Self::Reshape(shape) => {
                ensure!(shape.volume() == input.volume(), "RESHAPE of {input} to {shape}");
                Ok(*shape)
            }
            Self::Softmax => Ok(input),
        }
    }
}

impl Border {
    /// The extent of the padded tensor.
    pub fn output(&self, input: Shape) -> Shape {
        let side = |axis: usize, size: usize| self.before[axis] + size + self.after[axis];
        Shape::new(side(0, input.height), side(1, input.width), side(2, input.channels))
    }
}

fn check_row(filter: &Filter, expected: usize) -> Result<()> {
    ensure!(
        filter.row_len() == expected,
        "a filter needs {expected} weights per output channel, found {}",
        filter.row_len()
    );
    Ok(())
}
