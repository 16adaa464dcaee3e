//! A file that grows by an operator at a time.

use super::super::schema::tflite::{self as schema, BuiltinOptions};
use crate::graph::{Shape, TensorId};
use crate::quantize::{Int8Tensor, Network, Quantisation};
use anyhow::{Context, Result};

/// The parts of a file that grows by an operator at a time.
pub(super) struct File<'a> {
    pub(super) network: &'a Network,
    pub(super) tensors: Vec<schema::Tensor>,
    pub(super) buffers: Vec<schema::Buffer>,
    /// Names of the operator codes in use.
    pub(super) codes: Vec<&'static str>,
    pub(super) operators: Vec<schema::Operator>,
    /// The file's tensor for each of the network's that has been written.
    places: Vec<Option<i32>>,
}

impl<'a> File<'a> {
    pub(super) fn new(network: &'a Network) -> Self {
        // Buffer 0 is the empty one that all activations refer to.
        let empty = schema::Buffer { data: None };
        let mut file = Self {
            network,
            tensors: Vec::new(),
            buffers: vec![empty],
            codes: Vec::new(),
            operators: Vec::new(),
            places: vec![None; network.tensors.len()],
        };
        let input = &network.tensors[0];
        file.places[0] = Some(file.activation(&input.name, image_dims(input.shape), input.quantisation, 0));
        file
    }

    /// The file's tensor of a tensor that some layer has written.
    pub(super) fn tensor_of(&self, id: TensorId) -> Result<i32> {
        self.places[id.index()]
            .with_context(|| format!("nothing writes \"{}\"", self.network.tensor(id).name))
    }

    /// As [`tensor_of`](Self::tensor_of), in four dimensions: what a fully connected layer writes has two.
    pub(super) fn image_of(&mut self, id: TensorId) -> Result<i32> {
        let place = self.tensor_of(id)?;
        if self.tensors[place as usize].shape.as_ref().is_some_and(|dims| dims.len() == 4) {
            return Ok(place);
        }
        let tensor = self.network.tensor(id);
        let name = format!("{}.image", tensor.name);
        let output = self.activation(&name, image_dims(tensor.shape), tensor.quantisation, 0);
        self.reshape(place, tensor.shape, output);
        Ok(output)
    }

    /// Appends an activation tensor.
    pub(super) fn activation(
        &mut self,
        name: &str,
        dims: Vec<i32>,
        quantisation: Quantisation,
        buffer: u32,
    ) -> i32 {
        let scales = schema::QuantizationParameters {
            scale: Some(vec![quantisation.scale]),
            zero_point: Some(vec![quantisation.zero_point.into()]),
            ..Default::default()
        };
        self.tensor(name, dims, INT8, buffer, Some(scales))
    }

    /// Appends a tensor of the network, in these dimensions.
    pub(super) fn define(&mut self, id: TensorId, dims: Vec<i32>) -> i32 {
        let Int8Tensor { name, quantisation, .. } = self.network.tensor(id);
        let place = self.activation(name, dims, *quantisation, 0);
        self.places[id.index()] = Some(place);
        place
    }

    pub(super) fn tensor(
        &mut self,
        name: &str,
        dims: Vec<i32>,
        kind: i8,
        buffer: u32,
        quantisation: Option<schema::QuantizationParameters>,
    ) -> i32 {
        self.tensors.push(schema::Tensor {
            shape: Some(dims),
            type_: kind,
            buffer,
            name: Some(name.into()),
            quantization: quantisation.map(Box::new),
            ..Default::default()
        });
        self.tensors.len() as i32 - 1
    }

    /// Appends the bytes of a constant.
    pub(super) fn buffer(&mut self, data: Vec<u8>) -> u32 {
        self.buffers.push(schema::Buffer { data: Some(data) });
        self.buffers.len() as u32 - 1
    }

    /// Appends a constant int32 tensor that is no quantised number: a shape, axes, paddings.
    pub(super) fn numbers(&mut self, name: &str, dims: Vec<i32>, values: &[i32]) -> i32 {
        let buffer = self.buffer(values.iter().flat_map(|value| value.to_le_bytes()).collect());
        self.tensor(name, dims, INT32, buffer, None)
    }

    /// Appends an operator.
    pub(super) fn operator(
        &mut self,
        name: &'static str,
        inputs: Vec<i32>,
        output: i32,
        options: impl Into<Option<BuiltinOptions>>,
    ) {
        let known = self.codes.iter().position(|other| *other == name);
        let opcode = known.unwrap_or_else(|| {
            self.codes.push(name);
            self.codes.len() - 1
        });
        self.operators.push(schema::Operator {
            opcode_index: opcode as u32,
            inputs: Some(inputs),
            outputs: Some(vec![output]),
            builtin_options: options.into(),
        });
    }

    pub(super) fn reshape(&mut self, input: i32, shape: Shape, output: i32) {
        let dims = image_dims(shape);
        let place = self.numbers(&format!("shape.{output}"), vec![4], &dims);
        let options = schema::ReshapeOptions { new_shape: Some(dims) };
        let options = BuiltinOptions::ReshapeOptions(Box::new(options));
        self.operator("RESHAPE", vec![input, place], output, options);
    }
}

/// TensorFlow Lite's numbers of types.
pub(super) const INT8: i8 = 9;
pub(super) const INT32: i8 = 2;

/// A shape with its batch of 1.
pub(super) fn image_dims(shape: Shape) -> Vec<i32> {
    [1, shape.height, shape.width, shape.channels].map(|side| side as i32).to_vec()
}
