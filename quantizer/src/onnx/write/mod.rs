//! An int8 network as a float ONNX file in which QuantizeLinear and DequantizeLinear say where values are int8.
//!
//! Every layer is the float operator of its name between a DequantizeLinear for each input and a QuantizeLinear behind
//! it, as ONNX Runtime and other engines expect of a quantised network; they may compute in int8, or in float with the
//! same values up to a rounding. Images lie channels first, as ONNX has them.

mod filter;
mod form;
mod layers;
#[cfg(test)]
mod tests;

use crate::graph::TensorId;
use crate::quantize::{Network, Quantisation};
use anyhow::{Context, Result};
use form::Form;
use mobilenet::onnx::schema::AttributeProto;
use mobilenet::onnx::{Element, GraphBuilder, tensor};
use std::collections::HashMap;

/// Writes a network as an ONNX file.
///
/// Its input is `input`, f32 `[1, channels, rows, columns]`, its output f32 of the same form, or `[1, channels]` where a
/// fully connected layer or a reshape to a vector is behind it. Both hold the reals that the int8 values stand for.
///
/// # Errors
/// If a layer reads a tensor that no layer before it has written.
pub fn write(network: &Network) -> Result<Vec<u8>> {
    let mut writer = Writer::new(network);
    for layer in &network.layers {
        writer.layer(layer).with_context(|| format!("layer \"{}\" as ONNX", layer.name))?;
    }
    writer.finish()
}

/// A tensor of the network in the file.
#[derive(Clone)]
struct Value {
    /// The name of its reals, behind a DequantizeLinear.
    name: String,
    form: Form,
}

struct Writer<'a> {
    network: &'a Network,
    graph: GraphBuilder,
    values: HashMap<TensorId, Value>,
}

impl<'a> Writer<'a> {
    fn new(network: &'a Network) -> Self {
        let input = &network.tensors[0];
        let mut graph = GraphBuilder::new("edge8");
        let name = graph.input("input", &Form::Map.dimensions(input.shape), &reals(input.quantisation));
        let mut writer = Self { network, graph, values: HashMap::new() };
        writer.define(TensorId(0), "input", &name, Form::Map);
        writer
    }

    fn finish(mut self) -> Result<Vec<u8>> {
        let output = self.network.tensor(self.network.output);
        let Value { name, form } = self.value(self.network.output)?;
        self.graph.output(&name, &form.dimensions(output.shape), &reals(output.quantisation));
        Ok(self.graph.finish("An int8 network of edge8, with QuantizeLinear and DequantizeLinear.", []))
    }

    fn value(&self, id: TensorId) -> Result<Value> {
        let name = &self.network.tensor(id).name;
        self.values.get(&id).cloned().with_context(|| format!("\"{name}\" is read before a layer writes it"))
    }

    /// Makes the reals `name` the values of a tensor, rounded to what int8 holds.
    fn define(&mut self, id: TensorId, label: &str, name: &str, form: Form) {
        let real = if id == self.network.output { "output".into() } else { format!("{label}.real") };
        let name = self.round(label, name, self.network.tensor(id).quantisation, &real);
        self.values.insert(id, Value { name, form });
    }

    /// Reals through int8 and back; `real` is the name of what comes out, if it is free.
    fn round(&mut self, label: &str, name: &str, quantisation: Quantisation, real: &str) -> String {
        let [scale, zero_point] = self.quantisation(label, quantisation);
        let int8 = self.node("QuantizeLinear", &format!("{label}.int8"), &[name, &scale, &zero_point], []);
        self.node("DequantizeLinear", real, &[int8, scale, zero_point], [])
    }

    /// Scale and zero point as constants; their names.
    fn quantisation(&mut self, label: &str, quantisation: Quantisation) -> [String; 2] {
        let Quantisation { scale, zero_point } = quantisation;
        [self.constant(label, "scale", &[], &[scale]), self.constant(label, "zero_point", &[], &[zero_point])]
    }

    fn constant<T: Element>(&mut self, label: &str, part: &str, shape: &[usize], values: &[T]) -> String {
        self.graph.initializer(&format!("{label}.{part}"), tensor(shape, values))
    }

    fn node(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[impl AsRef<str>],
        attributes: impl IntoIterator<Item = AttributeProto>,
    ) -> String {
        self.graph.node(operator, name, inputs, attributes)
    }
}

/// What an input or output holds, in words.
fn reals(quantisation: Quantisation) -> String {
    let Quantisation { scale, zero_point } = quantisation;
    format!("(q - {zero_point}) * {scale} for q from -128 to 127")
}
