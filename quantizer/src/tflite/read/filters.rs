//! Operators with weights.

use super::super::schema::tflite::BuiltinOptionsRef;
use super::super::source::{RawOperator, RawTensor, Type, damaged};
use super::builder::Builder;
use super::parts::{argument, clamp, int32, output};
use super::window::{RawWindow, windowed};
use crate::graph::{Shape, TensorId, Window};
use crate::quantize::{self, Int8Filter, Int8Operator};
use anyhow::{Context, Result, bail, ensure};

pub(super) fn convolution(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
    let Some(BuiltinOptionsRef::Conv2DOptions(options)) = network.source().options(operator)? else {
        bail!("it has no options of a convolution");
    };
    let weights = network.source().tensor(argument(operator, 1)?)?;
    let [channels, rows, columns, depth] = weights.dims[..] else {
        bail!("its weights have not 4 dimensions")
    };
    let raw = RawWindow {
        kernel: [rows, columns],
        stride: [options.stride_h().map_err(damaged)?, options.stride_w().map_err(damaged)?],
        dilation: [
            options.dilation_h_factor().map_err(damaged)?,
            options.dilation_w_factor().map_err(damaged)?,
        ],
        padding: options.padding().map_err(damaged)?,
    };
    let activation = options.fused_activation_function().map_err(damaged)?;
    let (input, window) = windowed(network, argument(operator, 0)?, &raw)?;
    let found = network.tensor(input).shape.channels;
    ensure!(depth == found, "filters of {depth} channels for an input of {found}: groups are not supported");
    let parameters = parameters(network, operator, &weights, channels, 0)?;
    let operator_of = |filter| Int8Operator::Conv2d(window, filter);
    window_layer(network, operator, input, &window, channels, (activation, parameters), operator_of)
}

pub(super) fn depthwise(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
    let Some(BuiltinOptionsRef::DepthwiseConv2DOptions(options)) = network.source().options(operator)? else {
        bail!("it has no options of a depthwise convolution");
    };
    let weights = network.source().tensor(argument(operator, 1)?)?;
    let [1, rows, columns, channels] = weights.dims[..] else {
        bail!("its weights are {:?}: [1, rows, columns, channels] is expected", weights.dims);
    };
    let raw = RawWindow {
        kernel: [rows, columns],
        stride: [options.stride_h().map_err(damaged)?, options.stride_w().map_err(damaged)?],
        dilation: [
            options.dilation_h_factor().map_err(damaged)?,
            options.dilation_w_factor().map_err(damaged)?,
        ],
        padding: options.padding().map_err(damaged)?,
    };
    let activation = options.fused_activation_function().map_err(damaged)?;
    let (input, window) = windowed(network, argument(operator, 0)?, &raw)?;
    let found = network.tensor(input).shape.channels;
    ensure!(
        channels.is_multiple_of(found),
        "{channels} filters for {found} channels: a multiple is expected"
    );
    let mut parameters = parameters(network, operator, &weights, channels, 3)?;
    // The file has the channels innermost; a filter has one row of weights per channel.
    let by_tap = std::mem::take(&mut parameters.weights);
    parameters.weights =
        (0..channels).flat_map(|channel| by_tap.iter().skip(channel).step_by(channels).copied()).collect();
    let operator_of = |filter| Int8Operator::DepthwiseConv2d(window, filter);
    window_layer(network, operator, input, &window, channels, (activation, parameters), operator_of)
}

/// Weights, their scales and biases as the file states them.
struct Parameters {
    weights: Vec<i8>,
    scales: Vec<f32>,
    bias: Vec<i32>,
}

/// The weights and biases of an operator with `channels` output channels; `axis` is the dimension of the weights'
/// output channels.
fn parameters(
    network: &Builder<'_>,
    operator: &RawOperator<'_>,
    weights: &RawTensor<'_>,
    channels: usize,
    axis: i32,
) -> Result<Parameters> {
    ensure!(
        weights.kind == Type::Int8,
        "weights \"{}\" are {}: int8 is expected",
        weights.name,
        weights.kind.name()
    );
    let data = weights.data.with_context(|| format!("weights \"{}\" are no constant", weights.name))?;
    let volume = weights.dims.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    ensure!(
        Some(data.len()) == volume,
        "weights \"{}\" have {} bytes for {:?}",
        weights.name,
        data.len(),
        weights.dims
    );
    let data = network.source().claim(data)?;
    let bias = match operator.inputs.get(2).copied().flatten() {
        None => vec![0; channels],
        Some(bias) => {
            let bias = network.source().tensor(bias)?;
            let name = &bias.name;
            ensure!(bias.kind == Type::Int32, "bias \"{name}\" is {}: int32 is expected", bias.kind.name());
            let values = int32(&bias)?;
            ensure!(values.len() == channels, "bias \"{name}\" has {} values for {channels}", values.len());
            network.source().claim(bias.data.unwrap_or_default())?;
            values
        }
    };
    let scales = weights.weight_scales(channels, axis)?;
    Ok(Parameters { weights: data.iter().map(|&byte| byte as i8).collect(), scales, bias })
}

fn window_layer(
    network: &mut Builder<'_>,
    operator: &RawOperator<'_>,
    input: TensorId,
    window: &Window,
    channels: usize,
    (activation, parameters): (i8, Parameters),
    operator_of: impl Fn(Int8Filter) -> Int8Operator,
) -> Result<()> {
    let raw = output(network, operator)?;
    let quantisation = raw.quantisation()?;
    let tensor = network.tensor(input);
    let shape = window.output(tensor.shape, channels)?;
    let Parameters { weights, scales, bias } = parameters;
    let multipliers = quantize::multipliers(tensor.quantisation, &scales, quantisation, channels);
    let filter = Int8Filter { weights, scales, bias, multipliers };
    let clamp = clamp(activation, quantisation)?;
    let id = network.push(&raw.name, operator_of(filter), clamp, &[input], shape, quantisation);
    network.write(operator, id)
}

/// A fully connected layer; on several rows of inputs it is a 1x1 convolution.
pub(super) fn fully_connected(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
    let Some(BuiltinOptionsRef::FullyConnectedOptions(options)) = network.source().options(operator)? else {
        bail!("it has no options of a fully connected layer");
    };
    ensure!(
        options.weights_format().map_err(damaged)? == 0,
        "its weights are shuffled: the default format is expected"
    );
    let activation = options.fused_activation_function().map_err(damaged)?;
    let weights = network.source().tensor(argument(operator, 1)?)?;
    let [channels, depth] = weights.dims[..] else { bail!("its weights have not 2 dimensions") };
    let Parameters { weights, scales, bias } = parameters(network, operator, &weights, channels, 0)?;
    let input = network.read(argument(operator, 0)?)?;
    let volume = network.tensor(input).shape.volume();
    ensure!(volume.is_multiple_of(depth), "{depth} weights per output for an input of {volume} values");
    let rows = volume / depth;
    let raw = output(network, operator)?;
    let quantisation = raw.quantisation()?;
    let from = network.tensor(input).quantisation;
    let multipliers = quantize::fully_connected_multipliers(from, &scales, quantisation, channels);
    let filter = Int8Filter { weights, scales, bias, multipliers };
    let clamp = clamp(activation, quantisation)?;
    let (input, layer) = if rows == 1 {
        (input, Int8Operator::FullyConnected(filter))
    } else {
        let name = format!("{}.rows", raw.name);
        let input = network.reshaped(input, &name, Shape::new(1, rows, depth))?;
        (input, Int8Operator::Conv2d(Window::POINT, filter))
    };
    let id = network.push(&raw.name, layer, clamp, &[input], Shape::new(1, rows, channels), quantisation);
    network.write_reshaped(operator, id)
}
