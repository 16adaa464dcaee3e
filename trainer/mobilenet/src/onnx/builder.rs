//! A graph that grows by a node at a time.

use std::collections::HashSet;

use prost::Message;

use super::schema::tensor_proto::DataType;
use super::schema::tensor_shape_proto::Dimension as DimensionProto;
use super::schema::type_proto::Tensor;
use super::schema::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
};

/// ONNX's operators as of version 13: the first with a scale per channel in QuantizeLinear.
const OPERATOR_SET: i64 = 13;

/// The file format's version that came with them.
const IR_VERSION: i64 = 7;

/// The length of a dimension of an input or output.
#[derive(Clone, Copy, Debug)]
pub enum Dimension<'a> {
    /// Always the same.
    Fixed(usize),
    /// Chosen when the network runs; dimensions of one name have one length.
    Free(&'a str),
}

/// A graph of ONNX's operators. All values have names; a name that is taken gets a number.
#[derive(Debug, Default)]
pub struct GraphBuilder {
    graph: GraphProto,
    taken: HashSet<String>,
}

impl GraphBuilder {
    /// A graph without nodes.
    pub fn new(name: &str) -> Self {
        let graph = GraphProto { name: name.into(), ..GraphProto::default() };
        Self { graph, taken: HashSet::new() }
    }

    /// Adds a float input; gives its name.
    pub fn input(&mut self, name: &str, shape: &[Dimension<'_>], doc: &str) -> String {
        let name = self.unique(name);
        self.graph.input.push(value_info(&name, shape, doc));
        name
    }

    /// Adds a constant; gives its name.
    pub fn initializer(&mut self, name: &str, tensor: TensorProto) -> String {
        let name = self.unique(name);
        self.graph.initializer.push(TensorProto { name: name.clone(), ..tensor });
        name
    }

    /// Adds a node with one output; gives the output's name, which is also the node's. An empty input is left out.
    pub fn node(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[impl AsRef<str>],
        attributes: impl IntoIterator<Item = AttributeProto>,
    ) -> String {
        let name = self.unique(name);
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|input| input.as_ref().into()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: operator.into(),
            attribute: attributes.into_iter().collect(),
            domain: String::new(),
        });
        name
    }

    /// Makes the value `name` a float output.
    pub fn output(&mut self, name: &str, shape: &[Dimension<'_>], doc: &str) {
        self.graph.output.push(value_info(name, shape, doc));
    }

    /// The file's bytes; `metadata` are texts by name.
    pub fn finish(self, doc: &str, metadata: impl IntoIterator<Item = (String, String)>) -> Vec<u8> {
        let entry = |(key, value)| StringStringEntryProto { key, value };
        let model = ModelProto {
            ir_version: IR_VERSION,
            producer_name: "edge8".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            doc_string: doc.into(),
            graph: Some(self.graph),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPERATOR_SET }],
            metadata_props: metadata.into_iter().map(entry).collect(),
        };
        model.encode_to_vec()
    }

    fn unique(&mut self, name: &str) -> String {
        let mut found = name.to_owned();
        let mut number = 1;
        while !self.taken.insert(found.clone()) {
            number += 1;
            found = format!("{name}_{number}");
        }
        found
    }
}

fn value_info(name: &str, shape: &[Dimension<'_>], doc: &str) -> ValueInfoProto {
    let dimension = |dimension: &Dimension<'_>| match *dimension {
        Dimension::Fixed(length) => DimensionProto { dim_value: Some(length as i64), dim_param: None },
        Dimension::Free(name) => DimensionProto { dim_value: None, dim_param: Some(name.into()) },
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dimension).collect() };
    let tensor_type = Some(Tensor { elem_type: DataType::Float.into(), shape: Some(shape) });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }), doc_string: doc.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::{attribute, tensor};

    #[test]
    fn a_graph_survives_its_bytes() {
        let mut graph = GraphBuilder::new("tiny");
        let shape = [Dimension::Free("N"), Dimension::Fixed(2)];
        let input = graph.input("x", &shape, "two numbers");
        let constant = graph.initializer("x", tensor(&[2], &[1i32, -2]));
        let sum = graph.node("Add", "x", &[&input, &constant], [attribute::int("zero", 0)]);
        assert_eq!([&input, &constant, &sum], ["x", "x_2", "x_3"], "names are unique");
        graph.output(&sum, &shape, "");
        let model = ModelProto::decode(&*graph.finish("doc", [("key".into(), "value".into())])).unwrap();
        let graph = model.graph.unwrap();
        assert_eq!(graph.initializer[0].raw_data, [1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
        assert_eq!(graph.node[0].input, ["x", "x_2"]);
        assert_eq!(graph.node[0].attribute[0].i, Some(0), "a zero is written too");
        assert_eq!(graph.output[0].r#type, graph.input[0].r#type);
        assert_eq!(model.metadata_props[0].value, "value");
    }
}
