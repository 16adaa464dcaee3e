//! One layer with the inputs that one engine gave it.

use super::single;
use crate::graph::Shape;
use crate::quantize::{Int8Tensor, Layer, Network};
use anyhow::Result;
use std::cell::OnceCell;

/// A layer of a network and values for what it reads.
pub(super) struct Site<'a> {
    network: &'a Network,
    /// The layer.
    pub layer: &'a Layer,
    /// The values of its inputs.
    pub inputs: Vec<&'a [i8]>,
    /// What [`accumulate::sums`](super::accumulate::sums) has found.
    pub sums: OnceCell<Vec<i64>>,
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

    /// Values relative to the output's zero point as int8, under the layer's clamp.
    pub fn clamped(&self, values: impl Iterator<Item = i64>) -> Vec<i8> {
        let zero_point = i64::from(self.output().quantisation.zero_point);
        values.map(|value| self.layer.activation.clamp(value.saturating_add(zero_point))).collect()
    }

    /// What the runtime makes of the inputs: the contract.
    ///
    /// # Errors
    /// As [`single::run`].
    pub fn contract(&self) -> Result<Vec<i8>> {
        single::run(self.network, self.layer, &self.inputs)
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
