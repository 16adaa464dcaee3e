//! An operator stated in full, as plain numbers.

use crate::random;
use fastrand::Rng;

/// Shape `[height, width, channels]` and quantisation of an int8 tensor.
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    /// Height, width, channels.
    pub shape: [usize; 3],
    /// int8 value of real 0.
    pub zero_point: i8,
    /// Step between two values; no kernel reads it.
    pub scale: f32,
}

impl Tensor {
    /// Number of values.
    pub fn volume(&self) -> usize {
        self.shape.iter().product()
    }

    /// A tensor with a random zero point, often an extreme one.
    pub fn random(rng: &mut Rng, shape: [usize; 3]) -> Self {
        Self { shape, zero_point: random::int8(rng), scale: 0.5 }
    }

    /// What a softmax writes: steps of 1/256 from -128 on.
    pub fn probabilities(shape: [usize; 3]) -> Self {
        Self { shape, zero_point: -128, scale: 1.0 / 256.0 }
    }

    /// Random values, a third of them extreme.
    pub fn values(&self, rng: &mut Rng) -> Vec<i8> {
        random::values(rng, self.volume())
    }
}

/// `m = mantissa * 2^(shift - 31)`.
pub type Multiplier = (i32, i8);

/// Kernel height and width, stride down and across, padding above and left.
pub type Window = [usize; 6];

/// What an operator computes, apart from its tensors.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Convolution or depthwise convolution.
    Convolution {
        /// Whether each channel is convolved by itself.
        depthwise: bool,
        /// Kernel, stride, padding.
        window: Window,
        /// `[out][kernel row][kernel column][in]`, depthwise `[kernel row][kernel column][out]`.
        weights: Vec<i8>,
    },
    /// Weights `[out][in]`.
    FullyConnected(Vec<i8>),
    /// Multipliers of the first input, the second input, the output.
    Add([Multiplier; 3]),
    /// Multiplier with 1/n in it.
    Mean(Multiplier),
    /// Multiplier of the differences, smallest difference that counts.
    Softmax(Multiplier, i32),
    /// Mean over a window.
    AveragePool(Window),
    /// Largest value of a window.
    MaxPool(Window),
    /// Rows above, columns to the left, channels before.
    Pad([usize; 3]),
    /// The values.
    Constant(Vec<i8>),
}

/// An operator in full.
#[derive(Clone, Debug)]
pub struct Spec {
    /// What it computes.
    pub kind: Kind,
    /// One tensor, of ADD two, of CONSTANT none.
    pub inputs: Vec<Tensor>,
    /// The output.
    pub output: Tensor,
    /// Whether the output lies where the first input does.
    pub in_place: bool,
    /// Smallest and largest output.
    pub activation: (i8, i8),
    /// Bias and multiplier of each output channel; empty for operators without weights.
    pub constants: Vec<(i32, Multiplier)>,
}
