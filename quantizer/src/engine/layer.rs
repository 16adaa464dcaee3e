//! The engine's operator as a layer.

use super::scales;
use crate::graph::{Border, Shape, Window};
use crate::quantize::{Function, Int8Filter, Int8Operator, Int8Tensor, Quantisation};
use anyhow::{Context, Result, bail};
use edge8::Tensor;
use edge8::fixed_point::Multiplier;
use edge8::operator::{self as op, Operator};
use edge8::packing;

/// A tensor of this name.
pub(crate) fn described(name: &str, tensor: &Tensor) -> Int8Tensor {
    Int8Tensor { name: name.into(), shape: shape(tensor), quantisation: quantisation(tensor) }
}

fn shape(tensor: &Tensor) -> Shape {
    let [height, width, channels] =
        [tensor.shape.height, tensor.shape.width, tensor.shape.channels].map(usize::from);
    Shape::new(height, width, channels)
}

fn quantisation(tensor: &Tensor) -> Quantisation {
    Quantisation { scale: tensor.scale, zero_point: tensor.zero_point }
}

/// What a layer computes that this operator is for.
///
/// # Errors
/// If its multipliers are not those of its tensors' scales.
pub(crate) fn layer(operator: &Operator<'_>) -> Result<Int8Operator> {
    Ok(match operator {
        Operator::Convolution(op) => {
            let weights = matrix(op.weights, &op.output, op.patch_len());
            let filter = filter(weights, &op.channels, &op.input, &op.output, scales::per_channel)?;
            Int8Operator::Conv2d(window(&op.window, &op.input, &op.output), filter)
        }
        Operator::Depthwise(op::Depthwise(op)) => {
            let channels = usize::from(op.output.shape.channels);
            let kernel = op.window.kernel.map(usize::from);
            let taps = (0..kernel[0]).flat_map(|row| (0..kernel[1]).map(move |column| [row, column]));
            let at = |channel, tap| op.weights[packing::depthwise_index(kernel, channels, tap, channel)];
            let weights =
                (0..channels).flat_map(|channel| taps.clone().map(move |tap| at(channel, tap))).collect();
            let filter = filter(weights, &op.channels, &op.input, &op.output, scales::per_channel)?;
            Int8Operator::DepthwiseConv2d(window(&op.window, &op.input, &op.output), filter)
        }
        Operator::FullyConnected(op) => Int8Operator::FullyConnected(filter(
            matrix(op.weights, &op.output, op.input.shape.len()),
            &op.channels,
            &op.input,
            &op.output,
            scales::fully_connected,
        )?),
        Operator::Add(op) => Int8Operator::Add([op.first.multiplier, op.second.multiplier, op.multiplier]),
        Operator::Mean(op) => Int8Operator::Mean(op.multiplier),
        Operator::AveragePool(op::AveragePool(op)) => {
            Int8Operator::AveragePool2d(window(&op.window, &op.input, &op.output))
        }
        Operator::MaxPool(op::MaxPool(op)) => {
            Int8Operator::MaxPool2d(window(&op.window, &op.input, &op.output))
        }
        Operator::Pad(op) => Int8Operator::Pad(border(op)),
        Operator::Constant(op) => Int8Operator::Constant(op.values.to_vec()),
        Operator::Softmax(op) => Int8Operator::Softmax(op.multiplier, op.diff_min),
        Operator::Table(op) => {
            let function = Function::of(op.values, quantisation(&op.input), quantisation(&op.output));
            let function = function.context("its table is that of no function that the quantizer knows")?;
            Int8Operator::Table(function, Box::new(*op.values))
        }
        other => bail!("{} has no layer yet", other.name()),
    })
}

/// The rows of a packed matrix.
fn matrix(packed: &[i8], output: &Tensor, patch: usize) -> Vec<i8> {
    let outputs = usize::from(output.shape.channels);
    let at = |output, value| packed[packing::matrix_index(outputs, patch, output, value)];
    (0..outputs).flat_map(|output| (0..patch).map(move |value| at(output, value))).collect()
}

fn filter(
    weights: Vec<i8>,
    channels: &op::PerChannel<'_>,
    input: &Tensor,
    output: &Tensor,
    scales: impl Fn(Quantisation, &[Multiplier], Quantisation) -> Option<Vec<f32>>,
) -> Result<Int8Filter> {
    // The image has the zero point's part in the bias, and gives a multiplier of 0 its own shift.
    let bias = |channel: op::Channel| channel.bias + i32::from(input.zero_point) * channel.sum;
    let multiplier = |channel: op::Channel| match channel.multiplier {
        Multiplier { mantissa: 0, .. } => Multiplier { mantissa: 0, shift: 0 },
        other => other,
    };
    let (bias, multipliers): (Vec<_>, Vec<_>) =
        channels.iter().map(|channel| (bias(channel), multiplier(channel))).unzip();
    let Some(scales) = scales(quantisation(input), &multipliers, quantisation(output)) else {
        bail!("its multipliers are not those of any weights' scales: the image was not made by a quantizer")
    };
    Ok(Int8Filter { weights, scales, bias, multipliers })
}

/// The window of a record; it does not state the padding below and to the right, which follows from the shapes.
fn window(window: &op::Window, input: &Tensor, output: &Tensor) -> Window {
    let [kernel, stride, before] =
        [window.kernel, window.stride, window.padding].map(|pair| pair.map(usize::from));
    let (input, output) = (shape(input), shape(output));
    let after = |axis: usize, size: usize, positions: usize| {
        ((positions - 1) * stride[axis] + kernel[axis]).saturating_sub(size + before[axis])
    };
    let after = [after(0, input.height, output.height), after(1, input.width, output.width)];
    Window { kernel, stride, before, after }
}

fn border(pad: &op::Pad) -> Border {
    let before = pad.before.map(usize::from);
    let (input, output) = (shape(&pad.input), shape(&pad.output));
    let after = [
        output.height - input.height - before[0],
        output.width - input.width - before[1],
        output.channels - input.channels - before[2],
    ];
    Border { before, after }
}
