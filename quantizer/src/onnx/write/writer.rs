//! A file that grows by a node at a time.

use super::form::Form;
use crate::graph::TensorId;
use crate::quantize::{Network, Quantisation};
use anyhow::{Context, Result};
use mobilenet::onnx::schema::AttributeProto;
use mobilenet::onnx::{Element, GraphBuilder, tensor};
use std::collections::HashMap;

/// A tensor of the network in the file.
#[derive(Clone)]
pub(super) struct Value {
    /// The name of its reals, behind a DequantizeLinear.
    pub(super) name: String,
    pub(super) form: Form,
}

/// The file so far.
pub(super) struct Writer<'a> {
    pub(super) network: &'a Network,
    graph: GraphBuilder,
    pub(super) values: HashMap<TensorId, Value>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(network: &'a Network) -> Self {
        let input = &network.tensors[0];
        let mut graph = GraphBuilder::new("edge8");
        let name = graph.input("input", &Form::Map.dimensions(input.shape), &reals(input.quantisation));
        let mut writer = Self { network, graph, values: HashMap::new() };
        writer.define(TensorId(0), "input", &name, Form::Map);
        writer
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>> {
        let output = self.network.tensor(self.network.output);
        let Value { name, form } = self.value(self.network.output)?;
        self.graph.output(&name, &form.dimensions(output.shape), &reals(output.quantisation));
        Ok(self.graph.finish("An int8 network of edge8, with QuantizeLinear and DequantizeLinear.", []))
    }

    pub(super) fn value(&self, id: TensorId) -> Result<Value> {
        let name = &self.network.tensor(id).name;
        self.values.get(&id).cloned().with_context(|| format!("\"{name}\" is read before a layer writes it"))
    }

    /// Makes the reals `name` the values of a tensor, rounded to what int8 holds.
    pub(super) fn define(&mut self, id: TensorId, label: &str, name: &str, form: Form) {
        let real = if id == self.network.output { "output".into() } else { format!("{label}.real") };
        let name = self.round(label, name, self.network.tensor(id).quantisation, &real);
        self.values.insert(id, Value { name, form });
    }

    /// Reals through int8 and back; `real` is the name of what comes out, if it is free.
    pub(super) fn round(
        &mut self,
        label: &str,
        name: &str,
        quantisation: Quantisation,
        real: &str,
    ) -> String {
        let [scale, zero_point] = self.quantisation(label, quantisation);
        let int8 = self.node("QuantizeLinear", &format!("{label}.int8"), &[name, &scale, &zero_point], []);
        self.node("DequantizeLinear", real, &[int8, scale, zero_point], [])
    }

    /// Scale and zero point as constants; their names.
    pub(super) fn quantisation(&mut self, label: &str, quantisation: Quantisation) -> [String; 2] {
        let Quantisation { scale, zero_point } = quantisation;
        [self.constant(label, "scale", &[], &[scale]), self.constant(label, "zero_point", &[], &[zero_point])]
    }

    pub(super) fn constant<T: Element>(
        &mut self,
        label: &str,
        part: &str,
        shape: &[usize],
        values: &[T],
    ) -> String {
        self.graph.initializer(&format!("{label}.{part}"), tensor(shape, values))
    }

    pub(super) fn node(
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
