//! One operator of the file as a layer of the network.

use super::import::Builder;
use super::names;
use super::schema::tflite::BuiltinOptionsRef;
use super::source::{RawOperator, RawTensor, Type, damaged};
use crate::graph::{self, Border, Shape, TensorId, Window};
use crate::quantize::{self, Int8Filter, Int8Operator, Quantisation};
use anyhow::{Context, Result, bail, ensure};
use runtime::fixed_point::Activation;

/// Appends what an operator computes.
pub(super) fn add(network: &mut Builder<'_>, operator: &RawOperator<'_>, name: &str) -> Result<()> {
    match name {
        "CONV_2D" => convolution(network, operator),
        "DEPTHWISE_CONV_2D" => depthwise(network, operator),
        "FULLY_CONNECTED" => fully_connected(network, operator),
        "ADD" => sum(network, operator),
        "MEAN" => mean(network, operator),
        "AVERAGE_POOL_2D" | "MAX_POOL_2D" => pool(network, operator, name),
        "PAD" => pad(network, operator),
        "RESHAPE" => reshape(network, operator),
        "SOFTMAX" => softmax(network, operator),
        "QUANTIZE" | "DEQUANTIZE" => bail!("it is only supported at the network's input and output"),
        _ => bail!(
            "it is not supported: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, ADD, MEAN, AVERAGE_POOL_2D, MAX_POOL_2D, \
             PAD, RESHAPE and SOFTMAX are"
        ),
    }
}

/// The input that an operator must have at a place.
fn argument(operator: &RawOperator<'_>, place: usize) -> Result<usize> {
    operator.inputs.get(place).copied().flatten().with_context(|| format!("it has no input {place}"))
}

fn output<'a>(network: &Builder<'a>, operator: &RawOperator<'_>) -> Result<RawTensor<'a>> {
    network.source().tensor(operator.outputs[0])
}

/// The fused activation as a clamp on the output.
fn clamp(code: i8, output: Quantisation) -> Result<Activation> {
    let activation = match code {
        0 => graph::Activation::None,
        1 => graph::Activation::Relu,
        3 => graph::Activation::Relu6,
        _ => bail!("its fused activation {code} is not supported: NONE, RELU and RELU6 are"),
    };
    Ok(output.clamp(activation))
}

/// A window as the file states it: extent, step, dilation, and SAME (0) or VALID (1).
struct RawWindow {
    kernel: [usize; 2],
    stride: [i32; 2],
    dilation: [i32; 2],
    padding: i8,
}

impl RawWindow {
    fn on(&self, input: Shape) -> Result<Window> {
        ensure!(self.dilation == [1, 1], "a dilation of {:?}: 1 is supported", self.dilation);
        let step = |n: i32| usize::try_from(n).ok().filter(|n| (1..=usize::from(u16::MAX)).contains(n));
        let stride = [step(self.stride[0]), step(self.stride[1])];
        let [Some(rows), Some(columns)] = stride else { bail!("a stride of {:?}", self.stride) };
        match self.padding {
            0 => Ok(Window::same(self.kernel, [rows, columns], [input.height, input.width])),
            1 => Ok(Window::valid(self.kernel, [rows, columns])),
            other => bail!("padding {other} is neither SAME nor VALID"),
        }
    }
}

/// The tensor that a window reads and the window on it; a PAD before it becomes the window's padding if that can be.
fn windowed(network: &mut Builder<'_>, index: usize, raw: &RawWindow) -> Result<(TensorId, Window)> {
    let padded = network.source().tensor(index)?.shape()?;
    let window = raw.on(padded)?;
    let with = |border: Border| Window {
        before: [0, 1].map(|axis| window.before[axis] + border.before[axis]),
        after: [0, 1].map(|axis| window.after[axis] + border.after[axis]),
        ..window
    };
    let fits = |border: Border| {
        let window = with(border);
        let small =
            |axis| window.before[axis] < window.kernel[axis] && window.after[axis] < window.kernel[axis];
        small(0) && small(1) && (border.before[2], border.after[2]) == (0, 0)
    };
    let (input, border) = network.read_padded(index, fits)?;
    Ok((input, border.map_or(window, with)))
}

fn convolution(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
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

fn depthwise(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
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
        names::of_type(weights.kind)
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
            ensure!(
                bias.kind == Type::Int32,
                "bias \"{name}\" is {}: int32 is expected",
                names::of_type(bias.kind)
            );
            let values = int32(&bias)?;
            ensure!(values.len() == channels, "bias \"{name}\" has {} values for {channels}", values.len());
            network.source().claim(bias.data.unwrap_or_default())?;
            values
        }
    };
    let scales = weights.weight_scales(channels, axis)?;
    Ok(Parameters { weights: data.iter().map(|&byte| byte as i8).collect(), scales, bias })
}

/// The values of an int32 constant.
fn int32(tensor: &RawTensor<'_>) -> Result<Vec<i32>> {
    ensure!(
        tensor.kind == Type::Int32,
        "\"{}\" is {}: int32 is expected",
        tensor.name,
        names::of_type(tensor.kind)
    );
    let data = tensor.data.with_context(|| format!("\"{}\" is no constant", tensor.name))?;
    let (words, rest) = data.as_chunks();
    ensure!(rest.is_empty(), "\"{}\" has {} bytes: no multiple of 4", tensor.name, data.len());
    Ok(words.iter().map(|word| i32::from_le_bytes(*word)).collect())
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
fn fully_connected(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
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

fn sum(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
    let activation = match network.source().options(operator)? {
        Some(BuiltinOptionsRef::AddOptions(options)) => {
            options.fused_activation_function().map_err(damaged)?
        }
        _ => 0,
    };
    let mut inputs = network.read_both([argument(operator, 0)?, argument(operator, 1)?])?;
    let raw = output(network, operator)?;
    let quantisation = raw.quantisation()?;
    let shapes = inputs.map(|input| network.tensor(input).shape);
    if !shapes[1].repeats_to(shapes[0]) {
        ensure!(
            shapes[0].repeats_to(shapes[1]),
            "a sum of {} and {}: one must have the output's shape, the other may have sides of 1",
            shapes[0],
            shapes[1]
        );
        inputs.swap(0, 1);
    }
    let [first, second] = inputs.map(|input| network.tensor(input).quantisation);
    let layer = Int8Operator::Add(quantize::add(first, second, quantisation));
    let shape = network.tensor(inputs[0]).shape;
    let id = network.push(&raw.name, layer, clamp(activation, quantisation)?, &inputs, shape, quantisation);
    network.write(operator, id)
}

/// A mean over all rows and columns.
fn mean(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
    let index = argument(operator, 0)?;
    let dims = network.source().tensor(index)?.dims;
    ensure!(dims.len() == 4, "its input has {} dimensions: 4 are expected", dims.len());
    let mut reduced = [false; 4];
    for axis in int32(&network.source().tensor(argument(operator, 1)?)?)? {
        let place = if axis < 0 { axis + 4 } else { axis };
        let place = usize::try_from(place).ok().and_then(|place| reduced.get_mut(place));
        *place.with_context(|| format!("axis {axis} does not exist"))? = true;
    }
    let whole = |axis: usize| reduced[axis] || dims[axis] == 1;
    ensure!(
        whole(1) && whole(2) && !reduced[3],
        "a mean over axes {:?}: only the mean over all rows and columns (axes 1 and 2) is supported",
        (0..4).filter(|&axis| reduced[axis]).collect::<Vec<_>>()
    );
    let input = network.read(index)?;
    let raw = output(network, operator)?;
    let quantisation = raw.quantisation()?;
    let Shape { height, width, channels } = network.tensor(input).shape;
    let layer =
        Int8Operator::Mean(quantize::mean(network.tensor(input).quantisation, quantisation, height * width));
    let shape = Shape::new(1, 1, channels);
    let id = network.push(&raw.name, layer, Activation::NONE, &[input], shape, quantisation);
    network.write(operator, id)
}

fn pool(network: &mut Builder<'_>, operator: &RawOperator<'_>, name: &str) -> Result<()> {
    let Some(BuiltinOptionsRef::Pool2DOptions(options)) = network.source().options(operator)? else {
        bail!("it has no options of a pool");
    };
    let [rows, columns] = [options.filter_height(), options.filter_width()].map(|side| {
        let side = side.map_err(damaged)?;
        usize::try_from(side)
            .ok()
            .filter(|n| (1..=usize::from(u16::MAX)).contains(n))
            .context("its window is empty")
    });
    let raw = RawWindow {
        kernel: [rows?, columns?],
        stride: [options.stride_h().map_err(damaged)?, options.stride_w().map_err(damaged)?],
        dilation: [1, 1],
        padding: options.padding().map_err(damaged)?,
    };
    let activation = options.fused_activation_function().map_err(damaged)?;
    let input = network.read(argument(operator, 0)?)?;
    let input_shape = network.tensor(input).shape;
    let window = raw.on(input_shape)?;
    let raw = output(network, operator)?;
    let quantisation = shared_quantisation(network, input, &raw)?;
    let clamp = clamp(activation, quantisation)?;
    let layer = if name == "MAX_POOL_2D" {
        Int8Operator::MaxPool2d(window)
    } else {
        Int8Operator::AveragePool2d(window)
    };
    let shape = window.output(input_shape, input_shape.channels)?;
    let id = network.push(&raw.name, layer, clamp, &[input], shape, quantisation);
    network.write(operator, id)
}

/// The quantisation of an output that must be the input's.
fn shared_quantisation(
    network: &Builder<'_>,
    input: TensorId,
    output: &RawTensor<'_>,
) -> Result<Quantisation> {
    let (expected, found) = (network.tensor(input).quantisation, output.quantisation()?);
    ensure!(
        found == expected,
        "input and output must share scale and zero point, found {expected:?} and {found:?}"
    );
    Ok(found)
}

fn pad(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
    let input = network.read(argument(operator, 0)?)?;
    let table = int32(&network.source().tensor(argument(operator, 1)?)?)?;
    let rank = network.source().tensor(argument(operator, 0)?)?.dims.len();
    ensure!(table.len() == 2 * rank && rank <= 4, "{} paddings for {rank} dimensions", table.len());
    let side = |axis: usize, side: usize| {
        // The last dimension is the channels, the one before the columns.
        let place = (axis + rank).checked_sub(4);
        let value = place.map_or(0, |place| table[2 * place + side]);
        usize::try_from(value)
            .ok()
            .filter(|&n| n <= usize::from(u16::MAX))
            .with_context(|| format!("a padding of {value}"))
    };
    ensure!(side(0, 0)? == 0 && side(0, 1)? == 0, "a padding of the batch");
    let sides = |which: usize| anyhow::Ok([side(1, which)?, side(2, which)?, side(3, which)?]);
    let border = Border { before: sides(0)?, after: sides(1)? };
    let raw = output(network, operator)?;
    shared_quantisation(network, input, &raw)?;
    let (expected, found) = (border.output(network.tensor(input).shape), raw.shape()?);
    ensure!(expected == found, "its output should be {expected}, the file says {found}");
    network.pad(operator, input, border)
}

fn reshape(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
    let input = network.read(argument(operator, 0)?)?;
    shared_quantisation(network, input, &output(network, operator)?)?;
    network.write_reshaped(operator, input)
}

fn softmax(network: &mut Builder<'_>, operator: &RawOperator<'_>) -> Result<()> {
    let beta = match network.source().options(operator)? {
        Some(BuiltinOptionsRef::SoftmaxOptions(options)) => options.beta().map_err(damaged)?,
        _ => bail!("it has no options of a softmax"),
    };
    ensure!(beta.is_normal() && beta > 0.0, "its beta is {beta}: a positive number is expected");
    let input = network.read(argument(operator, 0)?)?;
    let raw = output(network, operator)?;
    let quantisation = raw.quantisation()?;
    ensure!(
        quantisation == Quantisation::PROBABILITY,
        "its output has {quantisation:?}: scale 1/256 and zero point -128 are expected"
    );
    let (multiplier, diff_min) = quantize::softmax(network.tensor(input).quantisation, beta);
    let shape = network.tensor(input).shape;
    let layer = Int8Operator::Softmax(multiplier, diff_min);
    let id = network.push(&raw.name, layer, Activation::NONE, &[input], shape, quantisation);
    network.write(operator, id)
}
