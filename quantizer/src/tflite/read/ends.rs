//! Where the network begins and ends, and what lies between.

use super::super::names;
use super::super::source::{RawTensor, Source, Type};
use anyhow::{Context, Result, bail, ensure};

/// The int8 tensor that the network begins with: its input, or what a QUANTIZE makes of it.
pub(super) fn input(source: &Source<'_>) -> Result<usize> {
    let input = source.tensor(source.input)?;
    if input.kind == Type::Int8 {
        return Ok(source.input);
    }
    let mut readers =
        source.operators.iter().filter(|operator| operator.inputs.contains(&Some(source.input)));
    match (readers.next(), readers.next()) {
        (Some(only), None) if names::operator(only.code) == "QUANTIZE" => {
            end(source, &input, only.outputs.first())
        }
        _ => bail!(
            "the input \"{}\" is {} and not only read by a QUANTIZE: convert the model to full-integer int8",
            input.name,
            input.kind.name()
        ),
    }
}

/// The int8 tensor that the network ends with: its output, or what a DEQUANTIZE or a QUANTIZE to uint8 reads.
pub(super) fn output(source: &Source<'_>) -> Result<usize> {
    let output = source.tensor(source.output)?;
    if output.kind == Type::Int8 {
        return Ok(source.output);
    }
    let mut writers = source.operators.iter().filter(|operator| operator.outputs.contains(&source.output));
    match writers.next() {
        Some(last) if matches!(names::operator(last.code).as_str(), "DEQUANTIZE" | "QUANTIZE") => {
            end(source, &output, last.inputs.first().and_then(Option::as_ref))
        }
        _ => bail!(
            "the output \"{}\" is {} and no DEQUANTIZE writes it: convert the model to full-integer int8",
            output.name,
            output.kind.name()
        ),
    }
}

/// The int8 tensor on the other side of an operator at one of the network's ends. A uint8 tensor must hold the same
/// values, only counted from 0.
fn end(source: &Source<'_>, outer: &RawTensor<'_>, inner: Option<&usize>) -> Result<usize> {
    let index = *inner.context("a QUANTIZE or DEQUANTIZE without tensor")?;
    let inner = source.tensor(index)?;
    let quantisation = inner.quantisation()?;
    ensure!(
        outer.kind == Type::Float32 || outer.kind == Type::Uint8 && outer.any_quantisation()? == quantisation,
        "\"{}\" and \"{}\" are not the same values: only float32, and uint8 of the same scale, can be left out",
        outer.name,
        inner.name
    );
    Ok(index)
}

/// Which operators the network's last tensor depends on, up to its first one.
pub(super) fn needed(source: &Source<'_>, [first, last]: [usize; 2]) -> Result<Vec<bool>> {
    let mut wanted = vec![false; source.tensors()];
    wanted[last] = true;
    let mut needed = vec![false; source.operators.len()];
    for (index, operator) in source.operators.iter().enumerate().rev() {
        needed[index] = operator.outputs.iter().any(|&output| wanted[output] && output != first);
        if needed[index] {
            ensure!(
                operator.outputs.len() == 1,
                "operator {index}, {}, has {} outputs: one is expected",
                names::operator(operator.code),
                operator.outputs.len()
            );
            // A reshape's output states its shape; Keras computes the one that RESHAPE reads from the batch.
            let values = if names::operator(operator.code) == "RESHAPE" { 1 } else { operator.inputs.len() };
            operator.inputs.iter().take(values).flatten().for_each(|&input| wanted[input] = true);
        }
    }
    Ok(needed)
}
