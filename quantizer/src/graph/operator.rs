//! The operators of the float graph and the shapes they produce.

use super::Shape;
use anyhow::{Result, bail, ensure};

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
}

/// How a window treats the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// TensorFlow's "SAME": ceil(in / stride) outputs, the odd padding row or column after the image.
    Same,
    /// Only windows that lie in the image.
    Valid,
}

/// A window that slides over rows and columns. Arrays are `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Extent.
    pub kernel: [usize; 2],
    /// Step.
    pub stride: [usize; 2],
    /// Border.
    pub padding: Padding,
}

impl Window {
    /// A 1x1 window with stride 1.
    pub const POINT: Self = Self { kernel: [1, 1], stride: [1, 1], padding: Padding::Valid };

    /// Padding before the first row and column, for an input of `size` = `[rows, columns]`.
    pub fn pad_before(&self, size: [usize; 2]) -> [usize; 2] {
        std::array::from_fn(|axis| match self.padding {
            Padding::Valid => 0,
            Padding::Same => {
                let output = size[axis].div_ceil(self.stride[axis]);
                ((output - 1) * self.stride[axis] + self.kernel[axis]).saturating_sub(size[axis]) / 2
            }
        })
    }

    fn output(&self, size: [usize; 2]) -> Result<[usize; 2]> {
        ensure!(
            self.kernel.iter().chain(&self.stride).all(|&n| n > 0),
            "kernel and stride must be at least 1"
        );
        let mut output = [0; 2];
        for axis in 0..2 {
            let (n, k, s) = (size[axis], self.kernel[axis], self.stride[axis]);
            output[axis] = match self.padding {
                Padding::Same => n.div_ceil(s),
                Padding::Valid if n >= k => (n - k) / s + 1,
                Padding::Valid => bail!("a kernel of {k} does not fit into an input of {n} without padding"),
            };
        }
        Ok(output)
    }
}

/// Weights and biases: one row of weights per output channel.
///
/// A row is `[rows][columns][input channels]` for a convolution, `[rows][columns]` for a depthwise convolution and the
/// input's values in NHWC order for a fully connected layer.
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

/// What a node computes.
#[derive(Clone, Debug)]
pub enum Operator {
    /// Convolution over all input channels.
    Conv2d(Window, Filter),
    /// One filter per channel.
    DepthwiseConv2d(Window, Filter),
    /// Every input value with every output.
    FullyConnected(Filter),
    /// The sum of two tensors of one shape.
    Add,
    /// The mean over rows and columns.
    Mean,
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
            Self::Softmax => "SOFTMAX",
        }
    }

    /// Weights and biases, for the operators that have some.
    pub fn filter(&self) -> Option<&Filter> {
        match self {
            Self::Conv2d(_, filter) | Self::DepthwiseConv2d(_, filter) | Self::FullyConnected(filter) => {
                Some(filter)
            }
            Self::Add | Self::Mean | Self::Softmax => None,
        }
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
                windowed(window, filter, input, input.channels, filter.channels())
            }
            Self::DepthwiseConv2d(window, filter) => {
                let channels = filter.channels();
                ensure!(channels == input.channels, "{channels} filters for {} channels", input.channels);
                windowed(window, filter, input, 1, channels)
            }
            Self::FullyConnected(filter) => {
                check_row(filter, input.volume())?;
                Ok(Shape::new(1, 1, filter.channels()))
            }
            Self::Add => {
                ensure!(
                    inputs[0] == inputs[1],
                    "ADD of {} and {}: shapes must be equal",
                    inputs[0],
                    inputs[1]
                );
                Ok(input)
            }
            Self::Mean => Ok(Shape::new(1, 1, input.channels)),
            Self::Softmax => {
                ensure!(input.height * input.width == 1, "SOFTMAX of {input}: a vector is expected");
                Ok(input)
            }
        }
    }
}

fn windowed(window: &Window, filter: &Filter, input: Shape, depth: usize, channels: usize) -> Result<Shape> {
    check_row(filter, window.kernel[0] * window.kernel[1] * depth)?;
    let [height, width] = window.output([input.height, input.width])?;
    Ok(Shape::new(height, width, channels))
}

fn check_row(filter: &Filter, expected: usize) -> Result<()> {
    ensure!(
        filter.row_len() == expected,
        "a filter needs {expected} weights per output channel, found {}",
        filter.row_len()
    );
    Ok(())
}
