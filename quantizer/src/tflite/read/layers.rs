//! One operator of the file as a layer of the network.

use super::super::schema::tflite::BuiltinOptionsRef;
use super::super::source::{RawOperator, RawTensor, damaged};
use super::builder::Builder;
use super::filters::{convolution, depthwise, fully_connected};
use super::parts::{argument, clamp, int32, output};
use super::window::RawWindow;
use crate::graph::{Border, Shape, TensorId};
use crate::quantize::{self, Function, Int8Operator, Quantisation};
use anyhow::{Context, Result, bail, ensure};
use edge8::fixed_point::Activation;

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
        _ => {
            let Some(function) = Function::named(name) else {
                let functions = Function::ALL.map(Function::name).join(", ");
                bail!(
                    "it is not supported: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, ADD, MEAN, AVERAGE_POOL_2D, \
                     MAX_POOL_2D, PAD, RESHAPE, SOFTMAX and {functions} are"
                )
            };
            table(network, operator, function)
        }
    }
}

/// An operator's second input, a short list of axes or paddings.
fn numbers(network: &Builder<'_>, operator: &RawOperator<'_>) -> Result<Vec<i32>> {
    let tensor = network.source().tensor(argument(operator, 1)?)?;
    let len = tensor.data.map_or(0, <[u8]>::len);
    ensure!(len <= 32, "\"{}\" has {len} bytes: at most 8 int32 are expected", tensor.name);
    int32(&tensor)
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
    for axis in numbers(network, operator)? {
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
    let table = numbers(network, operator)?;
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

/// A function of each value.
fn table(network: &mut Builder<'_>, operator: &RawOperator<'_>, function: Function) -> Result<()> {
    let input = network.read(argument(operator, 0)?)?;
    let raw = output(network, operator)?;
    let (tensor, quantisation) = (network.tensor(input), raw.quantisation()?);
    let values = function.table(tensor.quantisation, quantisation)?;
    let (shape, layer) = (tensor.shape, Int8Operator::Table(function, Box::new(values)));
    let id = network.push(&raw.name, layer, Activation::NONE, &[input], shape, quantisation);
    network.write(operator, id)
}
