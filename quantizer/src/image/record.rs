//! Operator records and the parameters they point to.

use super::fields::{put, size};
use crate::graph::{Border, TensorId, Window};
use crate::plan::NetworkPlan;
use crate::quantize::{Int8Filter, Int8Operator, Layer, Network};
use anyhow::{Context, Result};
use edge8::fixed_point::Multiplier;
use edge8::image::layout::{self, operator, record};
use edge8::operator::PerChannel;
use edge8::packing;

/// The weights section: weights and per-channel constants in the order of execution.
#[derive(Default)]
pub(super) struct Parameters {
    bytes: Vec<u8>,
}

impl Parameters {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends values; returns their offset.
    fn add_values(&mut self, values: impl Iterator<Item = i8>) -> Result<u32> {
        self.align(layout::CACHE_LINE);
        let at = size(self.bytes.len())?;
        self.bytes.extend(values.map(|value| value as u8));
        Ok(at)
    }

    /// Appends a filter; returns the offsets of its packed weights and of its constants.
    fn add(&mut self, packed: Vec<i8>, filter: &Int8Filter, zero_point: i8) -> Result<[u32; 2]> {
        let weights_at = self.add_values(packed.into_iter())?;
        self.align(align_of::<i32>());
        let constants_at = size(self.bytes.len())?;
        let rows = filter.weights.chunks_exact(filter.row_len());
        let sums: Vec<i32> = rows.map(|row| row.iter().map(|&weight| i32::from(weight)).sum()).collect();
        for (&bias, sum) in filter.bias.iter().zip(&sums) {
            let folded = i64::from(bias) - i64::from(zero_point) * i64::from(*sum);
            let folded = i32::try_from(folded).context("a bias is too large for 32-bit sums")?;
            self.bytes.extend(folded.to_le_bytes());
        }
        self.bytes.extend(sums.iter().flat_map(|sum| sum.to_le_bytes()));
        let multipliers = filter.multipliers.iter().map(normalised);
        self.bytes.extend(multipliers.clone().flat_map(|multiplier| multiplier.mantissa.to_le_bytes()));
        self.bytes.extend(multipliers.map(|multiplier| multiplier.shift as u8));
        Ok([weights_at, constants_at])
    }

    fn align(&mut self, alignment: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(alignment), 0);
    }
}

/// A multiplier of 0 is as good with any shift; with the smallest it is one of the small ones.
fn normalised(multiplier: &Multiplier) -> Multiplier {
    let shift = if multiplier.mantissa == 0 { Multiplier::MIN_SHIFT } else { multiplier.shift };
    Multiplier { shift, ..*multiplier }
}

/// Whether kernels may take their fast form of the rescale.
fn are_small(filter: &Int8Filter) -> bool {
    filter.multipliers.iter().all(|multiplier| normalised(multiplier).shift <= PerChannel::SMALL_SHIFT)
}

/// A filter's rows as a packed matrix.
fn packed_matrix(filter: &Int8Filter) -> Result<Vec<i8>> {
    let (outputs, patch) = (filter.bias.len(), filter.row_len());
    let mut packed = vec![0; packing::matrix_len(outputs, patch).context("too many weights")?];
    for (output, row) in filter.weights.chunks_exact(patch).enumerate() {
        for (value, &weight) in row.iter().enumerate() {
            packed[packing::matrix_index(outputs, patch, output, value)] = weight;
        }
    }
    Ok(packed)
}

/// A depthwise filter's rows, packed.
fn packed_depthwise(filter: &Int8Filter, kernel: [usize; 2]) -> Result<Vec<i8>> {
    let channels = filter.bias.len();
    let mut packed = vec![0; packing::depthwise_len(kernel, channels).context("too many weights")?];
    for (channel, row) in filter.weights.chunks_exact(filter.row_len()).enumerate() {
        for (tap, &weight) in row.iter().enumerate() {
            let position = [tap / kernel[1], tap % kernel[1]];
            packed[packing::depthwise_index(kernel, channels, position, channel)] = weight;
        }
    }
    Ok(packed)
}

/// The tensor record of a tensor.
pub(super) fn tensor(
    network: &Network,
    plan: &NetworkPlan,
    index: usize,
) -> Result<[u8; layout::TENSOR_LEN]> {
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
    let rows = plan.rows[index];
    let kept = if rows == tensor.shape.height {
        0
    } else {
        u8::try_from(rows).context("more rows than a ring has")?
    };
    put(&mut bytes, 10, &[tensor.quantisation.zero_point as u8, kept]);
    put(&mut bytes, 12, &tensor.quantisation.scale.to_le_bytes());
    Ok(bytes)
}

/// The record of a layer, [`None`] for a reshape; its weights and constants are appended to `parameters`.
pub(super) fn record(
    network: &Network,
    plan: &NetworkPlan,
    layer: &Layer,
    parameters: &mut Parameters,
) -> Result<Option<Vec<u8>>> {
    let output = tensor(network, plan, layer.output.index())?;
    let input = |index: usize| tensor(network, plan, layer.inputs[index].index());
    let zero_point = layer.inputs.first().map_or(0, |&input| network.tensor(input).quantisation.zero_point);
    let record = match &layer.operator {
        Int8Operator::Conv2d(window, filter) => {
            let offsets = parameters.add(packed_matrix(filter)?, filter, zero_point)?;
            convolution(layer, window, filter, offsets, operator::CONVOLUTION, &input(0)?, &output)?
        }
        Int8Operator::DepthwiseConv2d(window, filter) => {
            let offsets = parameters.add(packed_depthwise(filter, window.kernel)?, filter, zero_point)?;
            convolution(layer, window, filter, offsets, operator::DEPTHWISE, &input(0)?, &output)?
        }
        Int8Operator::FullyConnected(filter) => {
            let [weights, constants] = parameters.add(packed_matrix(filter)?, filter, zero_point)?;
            let mut bytes = start(operator::FULLY_CONNECTED, layer, &input(0)?);
            put_filter(&mut bytes, filter);
            put(&mut bytes, record::fully_connected::OUTPUT, &output);
            put(&mut bytes, record::fully_connected::WEIGHTS, &weights.to_le_bytes());
            put(&mut bytes, record::fully_connected::RESCALE, &constants.to_le_bytes());
            bytes
        }
        Int8Operator::Add(multipliers) => add(plan, layer, *multipliers, [input(0)?, input(1)?], &output),
        Int8Operator::Mean(multiplier) => {
            let mut bytes = start(operator::MEAN, layer, &input(0)?);
            put(&mut bytes, record::mean::OUTPUT, &output);
            put(&mut bytes, record::mean::MANTISSA, &multiplier.mantissa.to_le_bytes());
            put(&mut bytes, record::mean::SHIFT, &multiplier.shift.to_le_bytes());
            bytes
        }
        Int8Operator::AveragePool2d(window) => {
            pool(layer, window, operator::AVERAGE_POOL, &input(0)?, &output)?
        }
        Int8Operator::MaxPool2d(window) => pool(layer, window, operator::MAX_POOL, &input(0)?, &output)?,
        Int8Operator::Pad(border) => pad(layer, border, &input(0)?, &output)?,
        Int8Operator::Reshape => return Ok(None),
        Int8Operator::Constant(values) => {
            let at = parameters.add_values(values.iter().copied())?;
            let mut bytes = start(operator::CONSTANT, layer, &output);
            put(&mut bytes, record::constant::VALUES, &at.to_le_bytes());
            bytes
        }
        Int8Operator::Softmax(multiplier, diff_min) => {
            let mut bytes = start(operator::SOFTMAX, layer, &input(0)?);
            put(&mut bytes, record::softmax::OUTPUT, &output);
            put(&mut bytes, record::softmax::MANTISSA, &multiplier.mantissa.to_le_bytes());
            put(&mut bytes, record::softmax::SHIFT, &multiplier.shift.to_le_bytes());
            put(&mut bytes, record::softmax::DIFF_MIN, &diff_min.to_le_bytes());
            bytes
        }
    };
    Ok(Some(record))
}

/// A record with the fields that all have; a constant has its output where others have their input.
fn start(kind: u16, layer: &Layer, input: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; layout::RECORD_LEN];
    put(&mut bytes, record::KIND, &kind.to_le_bytes());
    put(&mut bytes, record::ACTIVATION_MIN, &layer.activation.min.to_le_bytes());
    put(&mut bytes, record::ACTIVATION_MAX, &layer.activation.max.to_le_bytes());
    put(&mut bytes, record::INPUT, input);
    bytes
}

fn put_filter(bytes: &mut [u8], filter: &Int8Filter) {
    bytes[record::WEIGHT_LAYOUT] = layout::WEIGHT_LAYOUT_PACKED;
    bytes[record::SMALL_MULTIPLIERS] = are_small(filter).into();
}

fn convolution(
    layer: &Layer,
    window: &Window,
    filter: &Int8Filter,
    [weights, constants]: [u32; 2],
    kind: u16,
    input: &[u8],
    output: &[u8],
) -> Result<Vec<u8>> {
    let mut bytes = start(kind, layer, input);
    put_filter(&mut bytes, filter);
    put(&mut bytes, record::convolution::OUTPUT, output);
    put_window(&mut bytes, record::convolution::WINDOW, window)?;
    put(&mut bytes, record::convolution::WEIGHTS, &weights.to_le_bytes());
    put(&mut bytes, record::convolution::RESCALE, &constants.to_le_bytes());
    Ok(bytes)
}

fn pool(layer: &Layer, window: &Window, kind: u16, input: &[u8], output: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = start(kind, layer, input);
    put(&mut bytes, record::pool::OUTPUT, output);
    put_window(&mut bytes, record::pool::WINDOW, window)?;
    Ok(bytes)
}

fn pad(layer: &Layer, border: &Border, input: &[u8], output: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = start(operator::PAD, layer, input);
    put(&mut bytes, record::pad::OUTPUT, output);
    put_halves(&mut bytes, record::pad::BEFORE, &border.before)?;
    Ok(bytes)
}

/// The runtime writes a sum over its first input or beside both, so the input that is overwritten must be the first.
fn add(
    plan: &NetworkPlan,
    layer: &Layer,
    [mut first, mut second, sum]: [Multiplier; 3],
    mut inputs: [[u8; layout::TENSOR_LEN]; 2],
    output: &[u8],
) -> Vec<u8> {
    let offset = |id: TensorId| plan.offsets[id.index()];
    if offset(layer.inputs[1]) == offset(layer.output) {
        std::mem::swap(&mut first, &mut second);
        inputs.swap(0, 1);
    }
    let mut bytes = start(operator::ADD, layer, &inputs[0]);
    put(&mut bytes, record::add::SECOND, &inputs[1]);
    put(&mut bytes, record::add::OUTPUT, output);
    for (index, multiplier) in [first, second, sum].iter().enumerate() {
        put(&mut bytes, record::add::MANTISSAS + 4 * index, &multiplier.mantissa.to_le_bytes());
        put(&mut bytes, record::add::SHIFTS + index, &multiplier.shift.to_le_bytes());
    }
    bytes
}

fn put_window(bytes: &mut [u8], at: usize, window: &Window) -> Result<()> {
    put_halves(bytes, at, &[window.kernel, window.stride, window.before].concat())
}

fn put_halves(bytes: &mut [u8], at: usize, values: &[usize]) -> Result<()> {
    for (index, &value) in values.iter().enumerate() {
        let value = u16::try_from(value).with_context(|| format!("a window of {value}: at most 65535"))?;
        put(bytes, at + 2 * index, &value.to_le_bytes());
    }
    Ok(())
}
