//! What operators of every kind have: inputs, an output, constants, an activation.

use super::super::source::{RawOperator, RawTensor, Type};
use super::builder::Builder;
use crate::graph;
use crate::quantize::Quantisation;
use anyhow::{Context, Result, bail, ensure};
use edge8::fixed_point::Activation;

/// The input that an operator must have at a place.
pub(super) fn argument(operator: &RawOperator<'_>, place: usize) -> Result<usize> {
    operator.inputs.get(place).copied().flatten().with_context(|| format!("it has no input {place}"))
}

/// The file's tensor that an operator writes.
pub(super) fn output<'a>(network: &Builder<'a>, operator: &RawOperator<'_>) -> Result<RawTensor<'a>> {
    network.source().tensor(operator.outputs[0])
}

/// The values of an int32 constant.
pub(super) fn int32(tensor: &RawTensor<'_>) -> Result<Vec<i32>> {
    ensure!(tensor.kind == Type::Int32, "\"{}\" is {}: int32 is expected", tensor.name, tensor.kind.name());
    let data = tensor.data.with_context(|| format!("\"{}\" is no constant", tensor.name))?;
    let (words, rest) = data.as_chunks();
    ensure!(rest.is_empty(), "\"{}\" has {} bytes: no multiple of 4", tensor.name, data.len());
    Ok(words.iter().map(|word| i32::from_le_bytes(*word)).collect())
}

/// The fused activation as a clamp on the output.
pub(super) fn clamp(code: i8, output: Quantisation) -> Result<Activation> {
    let activation = match code {
        0 => graph::Activation::None,
        1 => graph::Activation::Relu,
        3 => graph::Activation::Relu6,
        _ => bail!("its fused activation {code} is not supported: NONE, RELU and RELU6 are"),
    };
    Ok(output.clamp(activation))
}
