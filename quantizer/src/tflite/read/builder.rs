//! A network that grows by a layer at a time.

use super::super::format::SECTION;
use super::super::source::{RawOperator, Source};
use crate::graph::{Border, Shape, TensorId};
use crate::quantize::{Int8Operator, Int8Tensor, Layer, Network, Quantisation};
use anyhow::{Context, Result, ensure};
use edge8::fixed_point::Activation;
use edge8::section;
use std::collections::HashMap;

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Import {
    /// The network.
    pub network: Network,
    /// Of each of its layers the operator's index in the file; [`None`] for constants, which are no operators there.
    pub origins: Vec<Option<usize>>,
    /// Sections of a model image (kind and content) that [`write`](super::super::write()) put into the file.
    pub sections: Vec<(u32, Vec<u8>)>,
}

/// What an operator can read.
#[derive(Clone, Copy)]
enum Value {
    Tensor(TensorId),
    /// The result of a PAD that has not become a layer, because all that read it may be convolutions.
    Padded {
        input: TensorId,
        border: Border,
        origin: Option<usize>,
    },
}

/// The network so far, and which of its tensors hold those of the file.
pub(super) struct Builder<'a> {
    source: &'a Source<'a>,
    network: Network,
    origins: Vec<Option<usize>>,
    values: HashMap<usize, Value>,
    /// The file's operator that layers are made for.
    pub origin: Option<usize>,
    /// Whether a PAD has become the padding of a convolution.
    merged: bool,
}

impl<'a> Builder<'a> {
    pub fn new(source: &'a Source<'a>, input: usize) -> Result<Self> {
        let tensor = source.tensor(input)?;
        let tensor =
            Int8Tensor { name: "input".into(), shape: tensor.shape()?, quantisation: tensor.quantisation()? };
        let network = Network { tensors: vec![tensor], layers: Vec::new(), output: TensorId(0) };
        let values = HashMap::from([(input, Value::Tensor(TensorId(0)))]);
        Ok(Self { source, network, origins: Vec::new(), values, origin: None, merged: false })
    }

    pub fn finish(mut self, output: usize) -> Result<Import> {
        self.network.output = self.read(output)?;
        let computes =
            self.network.layers.iter().any(|layer| !matches!(layer.operator, Int8Operator::Reshape));
        ensure!(computes, "the network computes nothing between its input and its output");
        let sections = self.sections()?;
        Ok(Import { network: self.network, origins: self.origins, sections })
    }

    /// The model image's sections. Test vectors have a hash per layer: they are of no use where a layer is gone.
    fn sections(&self) -> Result<Vec<(u32, Vec<u8>)>> {
        let found = self.source.metadata(SECTION)?.into_iter();
        let section = |(kind, data): (&str, &[u8])| Some((kind.parse().ok()?, data.to_vec()));
        let useful = |(kind, _): &(u32, Vec<u8>)| !(self.merged && *kind == section::TEST_VECTORS);
        Ok(found.filter_map(section).filter(useful).collect())
    }

    /// The file.
    pub fn source(&self) -> &'a Source<'a> {
        self.source
    }

    /// A tensor of the network.
    pub fn tensor(&self, id: TensorId) -> &Int8Tensor {
        self.network.tensor(id)
    }

    /// The tensor of the network that holds a tensor of the file.
    pub fn read(&mut self, index: usize) -> Result<TensorId> {
        match self.values.get(&index) {
            Some(&Value::Tensor(id)) => Ok(id),
            Some(&Value::Padded { input, border, origin }) => {
                let raw = self.source.tensor(index)?;
                let shape = border.output(self.tensor(input).shape);
                let operator = Int8Operator::Pad(border);
                let quantisation = raw.quantisation()?;
                let reader = std::mem::replace(&mut self.origin, origin);
                let id = self.push(&raw.name, operator, Activation::NONE, &[input], shape, quantisation);
                self.origin = reader;
                self.values.insert(index, Value::Tensor(id));
                Ok(id)
            }
            None => self.constant(index),
        }
    }

    /// As [`read`](Self::read), for an operator with two inputs. A constant comes last: it is loaded right before it is
    /// needed.
    pub fn read_both(&mut self, indices: [usize; 2]) -> Result<[TensorId; 2]> {
        if self.values.contains_key(&indices[0]) {
            return Ok([self.read(indices[0])?, self.read(indices[1])?]);
        }
        let second = self.read(indices[1])?;
        Ok([self.read(indices[0])?, second])
    }

    /// As [`read`](Self::read), for a convolution, which can do the padding itself if `fits` says so.
    pub fn read_padded(
        &mut self,
        index: usize,
        fits: impl Fn(Border) -> bool,
    ) -> Result<(TensorId, Option<Border>)> {
        match self.values.get(&index) {
            Some(&Value::Padded { input, border, .. }) if fits(border) => {
                self.merged = true;
                Ok((input, Some(border)))
            }
            _ => Ok((self.read(index)?, None)),
        }
    }

    /// A layer that gives the values of a constant tensor.
    fn constant(&mut self, index: usize) -> Result<TensorId> {
        let raw = self.source.tensor(index)?;
        let data = raw.data.with_context(|| format!("it reads \"{}\" before anything wrote it", raw.name))?;
        let shape = raw.shape()?;
        ensure!(
            data.len() == shape.volume(),
            "constant \"{}\" has {} bytes, its shape {shape} needs {}",
            raw.name,
            data.len(),
            shape.volume()
        );
        let values = self.source.claim(data)?.iter().map(|&byte| byte as i8).collect();
        let quantisation = raw.quantisation()?;
        let origin = self.origin.take();
        let id =
            self.push(&raw.name, Int8Operator::Constant(values), Activation::NONE, &[], shape, quantisation);
        self.origin = origin;
        self.values.insert(index, Value::Tensor(id));
        Ok(id)
    }

    /// The same values in another shape; the tensor itself if it has that shape.
    pub fn reshaped(&mut self, id: TensorId, name: &str, shape: Shape) -> Result<TensorId> {
        let tensor = self.tensor(id);
        let (found, quantisation) = (tensor.shape, tensor.quantisation);
        if found == shape {
            return Ok(id);
        }
        ensure!(found.volume() == shape.volume(), "{found} has not the values of {shape}");
        Ok(self.push(name, Int8Operator::Reshape, Activation::NONE, &[id], shape, quantisation))
    }

    /// Remembers a PAD until something reads its result.
    pub fn pad(&mut self, operator: &RawOperator<'_>, input: TensorId, border: Border) -> Result<()> {
        self.define(operator, Value::Padded { input, border, origin: self.origin })
    }

    /// Appends a layer whose output has not the shape of the file's tensor yet.
    pub fn push(
        &mut self,
        name: &str,
        operator: Int8Operator,
        activation: Activation,
        inputs: &[TensorId],
        shape: Shape,
        quantisation: Quantisation,
    ) -> TensorId {
        let output = TensorId(self.network.tensors.len());
        self.network.tensors.push(Int8Tensor { name: name.into(), shape, quantisation });
        let inputs = inputs.to_vec();
        self.network.layers.push(Layer { name: name.into(), operator, activation, inputs, output });
        self.origins.push(self.origin);
        output
    }

    /// Makes `id` what the file's operator writes.
    pub fn write(&mut self, operator: &RawOperator<'_>, id: TensorId) -> Result<()> {
        let raw = self.source.tensor(operator.outputs[0])?;
        let (expected, found) = (self.tensor(id).shape, raw.shape()?);
        ensure!(expected == found, "its output should be {expected}, the file says {found}");
        self.define(operator, Value::Tensor(id))
    }

    /// As [`write`](Self::write), in the shape that the file states.
    pub fn write_reshaped(&mut self, operator: &RawOperator<'_>, id: TensorId) -> Result<()> {
        let raw = self.source.tensor(operator.outputs[0])?;
        let id = self.reshaped(id, &raw.name, raw.shape()?)?;
        self.define(operator, Value::Tensor(id))
    }

    fn define(&mut self, operator: &RawOperator<'_>, value: Value) -> Result<()> {
        let taken = self.values.insert(operator.outputs[0], value).is_some();
        ensure!(!taken, "tensor {} is written twice", operator.outputs[0]);
        Ok(())
    }
}
