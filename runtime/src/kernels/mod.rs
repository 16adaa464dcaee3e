//! The arithmetic of each operator.
//!
//! A *kernel set* is one implementation of [`Kernels`]. [`KernelSet::best`] is the one place that chooses among
//! them. The scalar set is the oracle: any other must give the same bits.

pub mod scalar;

use crate::operator::{Add, Constant, Convolution, FullyConnected, Mean, Pad, Pool, Softmax};

/// What a kernel set computes.
///
/// Slices are whole tensors, channels last, of exactly the lengths that the operator's shapes say; the operator is
/// one of a parsed [`Model`](crate::Model). Every method has the scalar kernel as its default, so that a set states
/// only what it does better.
pub trait Kernels {
    /// 2-D convolution of any window.
    fn convolution(op: &Convolution<'_>, input: &[i8], output: &mut [i8]) {
        scalar::convolution(op, input, output);
    }

    /// 1x1 convolution with stride 1.
    fn pointwise(op: &Convolution<'_>, input: &[i8], output: &mut [i8]) {
        scalar::pointwise(op, input, output);
    }

    /// Depthwise 2-D convolution of any window and depth multiplier.
    fn depthwise(op: &Convolution<'_>, input: &[i8], output: &mut [i8]) {
        scalar::depthwise(op, input, output);
    }

    /// Fully connected layer.
    fn fully_connected(op: &FullyConnected<'_>, input: &[i8], output: &mut [i8]) {
        scalar::fully_connected(op, input, output);
    }

    /// Elementwise sum in place: `values` holds the first input and takes the output.
    fn add(op: &Add, second: &[i8], values: &mut [i8]) {
        scalar::add(op, second, values);
    }

    /// Mean over height and width.
    fn mean(op: &Mean, input: &[i8], output: &mut [i8]) {
        scalar::mean(op, input, output);
    }

    /// Softmax over the channels in place: `values` holds the input and takes the output.
    fn softmax(op: &Softmax, values: &mut [i8]) {
        scalar::softmax(op, values);
    }

    /// Mean over a window.
    fn average_pool(op: &Pool, input: &[i8], output: &mut [i8]) {
        scalar::average_pool(op, input, output);
    }

    /// Largest value of a window.
    fn max_pool(op: &Pool, input: &[i8], output: &mut [i8]) {
        scalar::max_pool(op, input, output);
    }

    /// A border of zero points.
    fn pad(op: &Pad, input: &[i8], output: &mut [i8]) {
        scalar::pad(op, input, output);
    }

    /// Values from the image.
    fn constant(op: &Constant<'_>, output: &mut [i8]) {
        scalar::constant(op, output);
    }
}

/// The kernel sets of this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelSet {
    /// Plain Rust, on every processor.
    Scalar,
}

impl KernelSet {
    /// The fastest set that this processor runs.
    pub const fn best() -> Self {
        Self::Scalar
    }

    /// The set's name, as the benchmark reports it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
        }
    }
}
