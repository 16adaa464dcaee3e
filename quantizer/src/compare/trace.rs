//! The values of a network's tensors for one input.

use super::site::Site;
use crate::image;
use crate::quantize::{Int8Operator, Network};
use anyhow::Result;
use edge8::Model;

/// What is known of a network's tensors, in their order.
pub(super) type Known = Vec<Option<Vec<i8>>>;

/// Every tensor, computed by the runtime. `model` is the model image of `network`.
///
/// # Errors
/// If the input has the wrong length.
pub(super) fn run(network: &Network, model: &Model<'_>, input: &[i8]) -> Result<Vec<Vec<i8>>> {
    let mut tensors = vec![Vec::new(); network.tensors.len()];
    tensors[0] = input.to_vec();
    let written: Vec<usize> = image::operators(network).map(|layer| layer.output.index()).collect();
    for (&tensor, values) in written.iter().zip(image::run_layers(model, input)?) {
        tensors[tensor] = values;
    }
    for layer in network.layers.iter().filter(|layer| matches!(layer.operator, Int8Operator::Reshape)) {
        tensors[layer.output.index()] = tensors[layer.inputs[0].index()].clone();
    }
    Ok(tensors)
}

/// Adds what follows from known tensors in the same way in every engine: values that are only moved or chosen.
///
/// # Errors
/// As [`Site::contract`].
pub(super) fn complete(network: &Network, known: &mut Known) -> Result<()> {
    let exact = |operator: &Int8Operator| {
        matches!(
            operator,
            Int8Operator::Constant(_)
                | Int8Operator::Reshape
                | Int8Operator::Pad(_)
                | Int8Operator::MaxPool2d(_)
        )
    };
    for layer in network.layers.iter().filter(|layer| exact(&layer.operator)) {
        let ready = layer.inputs.iter().all(|input| known[input.index()].is_some());
        if ready && known[layer.output.index()].is_none() {
            let inputs = layer.inputs.iter().filter_map(|input| known[input.index()].as_deref()).collect();
            known[layer.output.index()] = Some(Site::new(network, layer, inputs).contract()?);
        }
    }
    Ok(())
}

/// Every tensor: the known ones, and what `compute` makes of them for the others.
///
/// # Errors
/// Those of `compute`.
pub(super) fn fill(
    network: &Network,
    known: &Known,
    compute: impl Fn(&Site<'_>) -> Result<Vec<i8>>,
) -> Result<Vec<Vec<i8>>> {
    let mut tensors: Vec<Vec<i8>> = known.iter().map(|values| values.clone().unwrap_or_default()).collect();
    for layer in network.layers.iter().filter(|layer| known[layer.output.index()].is_none()) {
        tensors[layer.output.index()] = compute(&Site::of(network, layer, &tensors))?;
    }
    Ok(tensors)
}
