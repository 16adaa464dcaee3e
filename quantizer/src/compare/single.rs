//! One layer alone, computed by the runtime.

use crate::graph::TensorId;
use crate::image::{self, Extras};
use crate::quantize::{Int8Operator, Layer, Network};
use anyhow::Result;
use edge8::Model;
use edge8::fixed_point::Activation;

/// What the runtime makes of a layer's inputs, in the order in which it reads them.
///
/// # Errors
/// If the layer cannot be written as a model image, which a layer of a written network can.
pub(super) fn run(network: &Network, layer: &Layer, inputs: &[&[i8]]) -> Result<Vec<i8>> {
    match &layer.operator {
        Int8Operator::Constant(values) => Ok(values.clone()),
        Int8Operator::Reshape => Ok(inputs[0].to_vec()),
        _ => {
            let image = image::write(&alone(network, layer, inputs), &Extras::default())?;
            let model = Model::parse(&image)?;
            let mut output = vec![0; model.output().shape.len()];
            model.run(inputs[0], &mut vec![0; model.arena_len()], &mut output)?;
            Ok(output)
        }
    }
}

/// A network of this layer; what it reads beside its first input is a constant.
fn alone(network: &Network, layer: &Layer, values: &[&[i8]]) -> Network {
    let input = |place: usize| network.tensor(layer.inputs[place]).clone();
    let mut tensors = vec![input(0)];
    let mut layers = Vec::new();
    for (place, values) in values.iter().enumerate().skip(1) {
        let output = TensorId(place);
        let operator = Int8Operator::Constant(values.to_vec());
        let name = format!("input {place}");
        layers.push(Layer { name, operator, activation: Activation::NONE, inputs: Vec::new(), output });
        tensors.push(input(place));
    }
    let inputs: Vec<TensorId> = (0..tensors.len()).map(TensorId).collect();
    let output = TensorId(tensors.len());
    tensors.push(network.tensor(layer.output).clone());
    layers.push(Layer { inputs, output, ..layer.clone() });
    Network { tensors, layers, output }
}
