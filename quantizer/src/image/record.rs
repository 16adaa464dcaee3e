//! Operator records and the parameters they point to.

use super::{put, size};
use crate::graph::Window;
use crate::plan::Plan;
use crate::quantize::{Int8Filter, Int8Operator, Layer, Network};
use anyhow::{Context, Result};
use runtime::fixed_point::Multiplier;
use runtime::image::layout::{self, operator, record};

/// The weights section: weights and per-channel constants in the order of execution.
#[derive(Default)]
pub(super) struct Parameters {
    bytes: Vec<u8>,
}

impl Parameters {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends a filter; returns the offsets of its weights and of its constants.
    fn add(&mut self, weights: impl Iterator<Item = i8>, filter: &Int8Filter) -> Result<[u32; 2]> {
        self.align(layout::ALIGNMENT);
        let weights_at = size(self.bytes.len())?;
        self.bytes.extend(weights.map(|weight| weight as u8));
        self.align(align_of::<i32>());
        let constants_at = size(self.bytes.len())?;
        self.bytes.extend(filter.bias.iter().flat_map(|bias| bias.to_le_bytes()));
        self.bytes.extend(filter.multipliers.iter().flat_map(|multiplier| multiplier.mantissa.to_le_bytes()));
        self.bytes.extend(filter.multipliers.iter().map(|multiplier| multiplier.shift as u8));
        Ok([weights_at, constants_at])
    }

    fn align(&mut self, alignment: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(alignment), 0);
    }
}

/// The tensor record of a tensor.
pub(super) fn tensor(network: &Network, plan: &Plan, index: usize) -> Result<[u8; layout::TENSOR_LEN]> {
    let tensor = &network.tensors[index];
    let side = |extent: usize| {
        u16::try_from(extent)
            .with_context(|| format!("\"{}\" is {}: a side is at most 65535", tensor.name, tensor.shape))
    };
    let mut bytes = [0; layout::TENSOR_LEN];
    put(&mut bytes, 0, &size(plan.offsets[index])?.to_le_bytes());
    put(&mut bytes, 4, &side(tensor.shape.height)?.to_le_bytes());
    put(&mut bytes, 6, &side(tensor.shape.width)?.to_le_bytes());
    put(&mut bytes, 8, &side(tensor.shape.channels)?.to_le_bytes());
    put(&mut bytes, 10, &i16::from(tensor.quantisation.zero_point).to_le_bytes());
    put(&mut bytes, 12, &tensor.quantisation.scale.to_le_bytes());
    Ok(bytes)
}

/// The record of a layer; its weights and constants are appended to `parameters`.
pub(super) fn record(
    network: &Network,
    plan: &Plan,
    layer: &Layer,
    parameters: &mut Parameters,
) -> Result<Vec<u8>> {
    let output = tensor(network, plan, layer.output.index())?;
    let mut bytes = match &layer.operator {
        Int8Operator::Conv2d(window, filter) => {
            let offsets = parameters.add(filter.weights.iter().copied(), filter)?;
            convolution(network, layer, window, offsets, operator::CONVOLUTION, &output)?
        }
        Int8Operator::DepthwiseConv2d(window, filter) => {
            let taps = filter.row_len();
            let by_tap = (0..taps).flat_map(|tap| filter.weights.iter().skip(tap).step_by(taps).copied());
            let offsets = parameters.add(by_tap, filter)?;
            convolution(network, layer, window, offsets, operator::DEPTHWISE, &output)?
        }
        Int8Operator::FullyConnected(filter) => {
            let [weights, constants] = parameters.add(filter.weights.iter().copied(), filter)?;
            let mut bytes = start(operator::FULLY_CONNECTED, record::fully_connected::LEN, layer);
            put(&mut bytes, record::fully_connected::OUTPUT, &output);
            put(&mut bytes, record::fully_connected::WEIGHTS, &weights.to_le_bytes());
            put(&mut bytes, record::fully_connected::RESCALE, &constants.to_le_bytes());
            bytes
        }
        Int8Operator::Add(multipliers) => {
            let second = tensor(network, plan, layer.inputs[1].index())?;
            add(layer, multipliers, &second, &output)
        }
        Int8Operator::Mean(multiplier) => {
            let mut bytes = start(operator::MEAN, record::mean::LEN, layer);
            put(&mut bytes, record::mean::OUTPUT, &output);
            put(&mut bytes, record::mean::MANTISSA, &multiplier.mantissa.to_le_bytes());
            put(&mut bytes, record::mean::SHIFT, &multiplier.shift.to_le_bytes());
            bytes
        }
        Int8Operator::Softmax(multiplier, diff_min) => {
            let mut bytes = start(operator::SOFTMAX, record::softmax::LEN, layer);
            put(&mut bytes, record::softmax::OUTPUT, &output);
            put(&mut bytes, record::softmax::MANTISSA, &multiplier.mantissa.to_le_bytes());
            put(&mut bytes, record::softmax::SHIFT, &multiplier.shift.to_le_bytes());
            put(&mut bytes, record::softmax::DIFF_MIN, &diff_min.to_le_bytes());
            bytes
        }
    };
    put(&mut bytes, record::INPUT, &tensor(network, plan, layer.inputs[0].index())?);
    Ok(bytes)
}

/// A record with the fields that all have.
fn start(kind: u16, len: usize, layer: &Layer) -> Vec<u8> {
    let mut bytes = vec![0; len];
    put(&mut bytes, record::KIND, &kind.to_le_bytes());
    put(&mut bytes, record::LEN, &(len as u16).to_le_bytes());
    put(&mut bytes, record::ACTIVATION_MIN, &layer.activation.min.to_le_bytes());
    put(&mut bytes, record::ACTIVATION_MAX, &layer.activation.max.to_le_bytes());
    bytes[record::WEIGHT_LAYOUT] = layout::WEIGHT_LAYOUT_PLAIN;
    bytes
}

fn convolution(
    network: &Network,
    layer: &Layer,
    window: &Window,
    [weights, constants]: [u32; 2],
    kind: u16,
    output: &[u8],
) -> Result<Vec<u8>> {
    let input = network.tensor(layer.inputs[0]).shape;
    let padding = window.pad_before([input.height, input.width]);
    let mut bytes = start(kind, record::convolution::LEN, layer);
    put(&mut bytes, record::convolution::OUTPUT, output);
    for (index, value) in [window.kernel, window.stride, padding].into_iter().flatten().enumerate() {
        let value = u16::try_from(value).with_context(|| format!("a window of {value}: at most 65535"))?;
        put(&mut bytes, record::convolution::WINDOW + 2 * index, &value.to_le_bytes());
    }
    put(&mut bytes, record::convolution::WEIGHTS, &weights.to_le_bytes());
    put(&mut bytes, record::convolution::RESCALE, &constants.to_le_bytes());
    Ok(bytes)
}

fn add(layer: &Layer, multipliers: &[Multiplier; 3], second: &[u8], output: &[u8]) -> Vec<u8> {
    let mut bytes = start(operator::ADD, record::add::LEN, layer);
    put(&mut bytes, record::add::SECOND, second);
    put(&mut bytes, record::add::OUTPUT, output);
    for (index, multiplier) in multipliers.iter().enumerate() {
        put(&mut bytes, record::add::MANTISSAS + 4 * index, &multiplier.mantissa.to_le_bytes());
        put(&mut bytes, record::add::SHIFTS + index, &multiplier.shift.to_le_bytes());
    }
    bytes
}
