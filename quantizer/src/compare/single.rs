//! One layer alone, computed by the engine.

use crate::engine::{self, Parameters};
use crate::graph::TensorId;
use crate::quantize::{Int8Operator, Layer, Network};
use anyhow::{Context, Result};
use edge8::operator::Operator;
use edge8::{Tensor, internal};

/// What the engine makes of a layer's inputs, in the order in which it reads them. No model image is made for it.
///
/// # Errors
/// If the engine refuses the layer, which one of a written network it does not.
pub(super) fn run(network: &Network, layer: &Layer, inputs: &[&[i8]]) -> Result<Vec<i8>> {
    if matches!(layer.operator, Int8Operator::Reshape) {
        return Ok(inputs[0].to_vec());
    }
    // The inputs one behind the other, and the output behind them: a layer may read a tensor twice.
    let volumes = layer.inputs.iter().chain([&layer.output]).map(|&id| network.tensor(id).shape.volume());
    let ends: Vec<usize> =
        volumes.scan(0, |end, volume| Some(std::mem::replace(end, *end + volume) + volume)).collect();
    let place = |id: TensorId, scratch: usize| {
        let index = layer.inputs.iter().position(|&input| input == id && id != layer.output);
        let index = index.unwrap_or(layer.inputs.len());
        let begin = index.checked_sub(1).map_or(0, |before| ends[before]);
        Tensor { offset: (scratch + begin) as u32, ..engine::tensor(network.tensor(id)) }
    };
    let operator = |scratch| engine::operator(network, layer, |id| place(id, scratch)).context("a view");
    let scratch = operator(0)?.scratch_len();
    let operator: Operator<'_> = operator(scratch)?;
    let mut parameters = Parameters::default();
    let record = operator.encode(parameters.add(network, layer)?);
    let begin = scratch + ends.len().checked_sub(2).map_or(0, |last| ends[last]);
    let mut arena = vec![0; scratch];
    arena.extend(inputs.iter().flat_map(|values| edge8::bytes_of(values)));
    arena.resize(begin + network.tensor(layer.output).shape.volume(), 0);
    internal::compute(&record, parameters.bytes(), &mut arena, u32::try_from(scratch)?)?;
    Ok(arena[begin..].iter().map(|&byte| byte as i8).collect())
}
