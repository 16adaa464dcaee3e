//! An int8 network as a `.tflite` file.

mod operators;
mod parameters;

use super::schema::tflite as schema;
use super::{IDENTIFIER, SECTION, names};
use crate::graph::{Shape, TensorId};
use crate::quantize::{Int8Tensor, Network, Quantisation};
use anyhow::{Context, Result};
use schema::BuiltinOptions;

/// The version of the file format.
const FORMAT: u32 = 3;

/// Writes a network, with sections of its model image (kind and content) as metadata, so that
/// [`read`](super::read) gives both back.
///
/// # Errors
/// If the format cannot say what a layer computes: a clamp that is no activation, or multipliers that are not those of
/// the tensors' scales.
pub fn write(network: &Network, sections: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut file = File::new(network);
    for layer in &network.layers {
        file.add(layer).with_context(|| format!("layer \"{}\" as a .tflite operator", layer.name))?;
    }
    let output = file.tensor_of(network.output)?;
    let metadata = sections.iter().map(|(kind, content)| schema::Metadata {
        name: Some(format!("{SECTION}{kind}")),
        buffer: file.buffer(content.clone()),
    });
    let metadata: Vec<_> = metadata.collect();
    let graph = schema::SubGraph {
        tensors: Some(file.tensors),
        inputs: Some(vec![0]),
        outputs: Some(vec![output]),
        operators: Some(file.operators),
        name: Some("main".into()),
    };
    let model = schema::Model {
        version: FORMAT,
        operator_codes: Some(file.codes.iter().map(|name| code(name)).collect::<Result<_>>()?),
        subgraphs: Some(vec![graph]),
        description: Some("made by edge8".into()),
        buffers: Some(file.buffers),
        metadata_buffer: None,
        metadata: Some(metadata),
    };
    Ok(finish(&model))
}

/// The bytes of a file: the root table's offset, the format's identifier, the tables.
///
/// planus 1.3 writes the identifier first and counts the offset from behind it.
pub(super) fn finish(model: &schema::Model) -> Vec<u8> {
    let mut builder = planus::Builder::new();
    let mut bytes = builder.finish(model, Some(IDENTIFIER)).to_vec();
    let (begin, _) = bytes.as_chunks_mut::<4>();
    begin.swap(0, 1);
    begin[0] = (u32::from_le_bytes(begin[0]) + 4).to_le_bytes();
    bytes
}

/// An operator's code, with the version that int8 came in.
fn code(name: &str) -> Result<schema::OperatorCode> {
    let code = names::code(name).with_context(|| format!("{name} has no code"))?;
    let version = match name {
        "RESHAPE" => 1,
        "CONV_2D" | "DEPTHWISE_CONV_2D" => 3,
        "FULLY_CONNECTED" => 4,
        _ => 2,
    };
    Ok(schema::OperatorCode {
        deprecated_builtin_code: i8::try_from(code)?,
        custom_code: None,
        version,
        builtin_code: code,
    })
}

/// The parts of a file that grows by an operator at a time.
struct File<'a> {
    network: &'a Network,
    tensors: Vec<schema::Tensor>,
    buffers: Vec<schema::Buffer>,
    /// Names of the operator codes in use.
    codes: Vec<&'static str>,
    operators: Vec<schema::Operator>,
    /// The file's tensor for each of the network's that has been written.
    places: Vec<Option<i32>>,
}

impl<'a> File<'a> {
    fn new(network: &'a Network) -> Self {
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
    fn tensor_of(&self, id: TensorId) -> Result<i32> {
        self.places[id.index()]
            .with_context(|| format!("nothing writes \"{}\"", self.network.tensor(id).name))
    }

    /// As [`tensor_of`](Self::tensor_of), in four dimensions: what a fully connected layer writes has two.
    fn image_of(&mut self, id: TensorId) -> Result<i32> {
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
    fn activation(&mut self, name: &str, dims: Vec<i32>, quantisation: Quantisation, buffer: u32) -> i32 {
        let scales = schema::QuantizationParameters {
            scale: Some(vec![quantisation.scale]),
            zero_point: Some(vec![quantisation.zero_point.into()]),
            ..Default::default()
        };
        self.tensor(name, dims, INT8, buffer, Some(scales))
    }

    /// Appends a tensor of the network, in these dimensions.
    fn define(&mut self, id: TensorId, dims: Vec<i32>) -> i32 {
        let Int8Tensor { name, quantisation, .. } = self.network.tensor(id);
        let place = self.activation(name, dims, *quantisation, 0);
        self.places[id.index()] = Some(place);
        place
    }

    fn tensor(
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
    fn buffer(&mut self, data: Vec<u8>) -> u32 {
        self.buffers.push(schema::Buffer { data: Some(data) });
        self.buffers.len() as u32 - 1
    }

    /// Appends a constant int32 tensor that is no quantised number: a shape, axes, paddings.
    fn numbers(&mut self, name: &str, dims: Vec<i32>, values: &[i32]) -> i32 {
        let buffer = self.buffer(values.iter().flat_map(|value| value.to_le_bytes()).collect());
        self.tensor(name, dims, INT32, buffer, None)
    }

    /// Appends an operator.
    fn operator(&mut self, name: &'static str, inputs: Vec<i32>, output: i32, options: BuiltinOptions) {
        let known = self.codes.iter().position(|other| *other == name);
        let opcode = known.unwrap_or_else(|| {
            self.codes.push(name);
            self.codes.len() - 1
        });
        self.operators.push(schema::Operator {
            opcode_index: opcode as u32,
            inputs: Some(inputs),
            outputs: Some(vec![output]),
            builtin_options: Some(options),
        });
    }

    fn reshape(&mut self, input: i32, shape: Shape, output: i32) {
        let dims = image_dims(shape);
        let place = self.numbers(&format!("shape.{output}"), vec![4], &dims);
        let options = schema::ReshapeOptions { new_shape: Some(dims) };
        let options = BuiltinOptions::ReshapeOptions(Box::new(options));
        self.operator("RESHAPE", vec![input, place], output, options);
    }
}

/// TensorFlow Lite's numbers of types.
const INT8: i8 = 9;
const INT32: i8 = 2;

/// A shape with its batch of 1.
fn image_dims(shape: Shape) -> Vec<i32> {
    [1, shape.height, shape.width, shape.channels].map(|side| side as i32).to_vec()
}
