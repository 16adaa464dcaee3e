//! One layer with the inputs that one engine gave it.

use super::accumulate;
use crate::graph::{Shape, TensorId};
use crate::image::{self, Extras};
use crate::quantize::{Int8Operator, Int8Tensor, Layer, Network};
use anyhow::Result;
use edge8::Model;
use edge8::fixed_point::Activation;
use std::cell::OnceCell;

/// A layer of a network and values for what it reads.
pub(super) struct Site<'a> {
    network: &'a Network,
    /// The layer.
    pub layer: &'a Layer,
    /// The values of its inputs.
    pub inputs: Vec<&'a [i8]>,
    sums: OnceCell<Vec<i64>>,
}

impl<'a> Site<'a> {
    /// `inputs` are the values that the layer reads, in its order.
    pub fn new(network: &'a Network, layer: &'a Layer, inputs: Vec<&'a [i8]>) -> Self {
        Self { network, layer, inputs, sums: OnceCell::new() }
    }

    /// `tensors` are the values of all of the network's tensors.
    pub fn of(network: &'a Network, layer: &'a Layer, tensors: &'a [Vec<i8>]) -> Self {
        Self::new(network, layer, layer.inputs.iter().map(|id| tensors[id.index()].as_slice()).collect())
    }

    /// The tensor behind an input.
    pub fn input(&self, place: usize) -> &'a Int8Tensor {
        self.network.tensor(self.layer.inputs[place])
    }

    /// The tensor that the layer writes.
    pub fn output(&self) -> &'a Int8Tensor {
        self.network.tensor(self.layer.output)
    }

    /// The exact sums behind each output; see [`accumulate::sums`].
    pub fn sums(&self) -> &[i64] {
        self.sums.get_or_init(|| accumulate::sums(self))
    }

    /// Values relative to the output's zero point as int8, under the layer's clamp.
    pub fn clamped(&self, values: impl Iterator<Item = i64>) -> Vec<i8> {
        let zero_point = i64::from(self.output().quantisation.zero_point);
        values.map(|value| self.layer.activation.clamp(value.saturating_add(zero_point))).collect()
    }

    /// What the runtime makes of the inputs: the contract.
    ///
    /// # Errors
    /// If the layer cannot be written as a model image, which a layer of a written network can.
    pub fn contract(&self) -> Result<Vec<i8>> {
        match &self.layer.operator {
            Int8Operator::Constant(values) => Ok(values.clone()),
            Int8Operator::Reshape => Ok(self.inputs[0].to_vec()),
            _ => {
                let image = image::write(&self.alone(), &Extras::default())?;
                let model = Model::parse(&image)?;
                let mut output = vec![0; model.output().shape.len()];
                model.run(self.inputs[0], &mut vec![0; model.arena_len()], &mut output)?;
                Ok(output)
            }
        }
    }

    /// A network of this layer; what it reads beside its first input is a constant.
    fn alone(&self) -> Network {
        let mut tensors = vec![self.input(0).clone()];
        let mut layers = Vec::new();
        for (place, values) in self.inputs.iter().enumerate().skip(1) {
            let output = TensorId(place);
            let operator = Int8Operator::Constant(values.to_vec());
            let name = format!("input {place}");
            layers.push(Layer { name, operator, activation: Activation::NONE, inputs: Vec::new(), output });
            tensors.push(self.input(place).clone());
        }
        let inputs: Vec<TensorId> = (0..tensors.len()).map(TensorId).collect();
        let output = TensorId(tensors.len());
        tensors.push(self.output().clone());
        layers.push(Layer { inputs, output, ..self.layer.clone() });
        Network { tensors, layers, output }
    }

    /// For every output the index of the input value that meets it in an elementwise operator, whose sides of 1 are
    /// repeated.
    pub fn repeated(&self, place: usize) -> impl Iterator<Item = usize> {
        let Shape { width, channels, .. } = self.output().shape;
        let shape = self.input(place).shape;
        (0..self.output().shape.volume()).map(move |index| {
            let [y, x, c] = [index / channels / width, index / channels % width, index % channels];
            (y % shape.height * shape.width + x % shape.width) * shape.channels + c % shape.channels
        })
    }
}
