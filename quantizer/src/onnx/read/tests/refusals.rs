//! What cannot be read is named.

use super::{Network, parse};
use crate::onnx::read::import;
use mobilenet::onnx::attribute::{int, ints};
use mobilenet::onnx::schema::attribute_proto::AttributeType;
use mobilenet::onnx::schema::{AttributeProto, GraphProto, ModelProto, StringStringEntryProto};
use mobilenet::onnx::{Dimension, GraphBuilder};
use prost::Message;
use std::path::Path;

fn error(network: Network) -> String {
    format!("{:#}", network.read().unwrap_err())
}

fn picture() -> Network {
    let mut network = Network::new(&[4, 6, 6]);
    let weights = network.weights(&[4, 4, 3, 3]);
    network.add("Conv", &[weights], [])
}

#[test]
fn operators_and_settings_are_refused_by_name() {
    let convolution = |shape: &[usize], group: i64, dilation: usize| {
        let mut network = picture();
        let weights = network.weights(shape);
        network.add("Conv", &[weights], [int("group", group), ints("dilations", &[dilation, dilation])])
    };
    let with = |operator: &str, shape: &[usize]| {
        let mut network = picture();
        let constant = network.uniform(shape, 1.0, 2.0);
        network.add(operator, &[constant], [])
    };
    let squared = |operator: &str| {
        let network = picture();
        let at = network.at.clone();
        network.add(operator, &[at], [])
    };
    let clip = || {
        let mut network = picture();
        let bounds = [-1.0, 1.0].map(|bound| network.floats(&[], &[bound]));
        network.add("Clip", &bounds, [])
    };
    let split = || {
        let mut network = picture();
        let shape = network.integers(&[1, 2, 2, 16]);
        network.add("Reshape", &[shape], [])
    };
    let pad = |pads: &[i64], value: f32| {
        let mut network = picture();
        let (pads, value) = (network.integers(pads), network.floats(&[], &[value]));
        network.add("Pad", &[pads, value], [])
    };
    let transposed = || {
        let network = picture().add("Transpose", &[], [ints("perm", &[0, 1, 3, 2])]);
        network.add("MaxPool", &[], [ints("kernel_shape", &[2, 2])])
    };
    let cases = [
        (picture().add("Sigmoid", &[], []), ["Sigmoid", "these are: Add"]),
        (convolution(&[4, 2, 3, 3], 2, 1), ["(Conv)", "2 groups for 4"]),
        (convolution(&[4, 4, 2, 2], 1, 2), ["(Conv)", "dilated"]),
        (squared("Mul"), ["(Mul)", "possible for Add only"]),
        (with("Add", &[4, 4, 4]), ["(Add)", "one per channel"]),
        (with("Mul", &[1, 1, 1, 4]), ["(Mul)", "one per channel"]),
        (clip(), ["(Clip)", "clamps to [-1, 1]"]),
        (split(), ["(Reshape)", "reshape channels last"]),
        (pad(&[0, 0, 1, 1, 0, 0, 1, 1], 1.0), ["(Pad)", "with zeros"]),
        (pad(&[0, 0, 9999, 1, 0, 0, 1, 1], 0.0), ["(Pad)", "from 0 to"]),
        (picture().add("ReduceMean", &[], [ints("axes", &[1])]), ["(ReduceMean)", "rows and columns"]),
        (picture().add("Softmax", &[], [int("axis", 3)]), ["(Softmax)", "over the channels"]),
        (transposed(), ["(MaxPool)", "no image"]),
        (Network::new(&[4, 6, 6]).add("Identity", &[], []), ["computes nothing", ""]),
        (Network::new(&[3, 70_000]).add("Relu", &[], []), ["dimension 2", "fixed sizes"]),
        (Network::new(&[3, 4, 5, 6]).add("Relu", &[], []), ["5 dimensions", ""]),
    ];
    for (network, expected) in cases {
        let error = error(network);
        assert!(expected.iter().all(|part| error.contains(part)), "{expected:?} in {error}");
    }
}

#[test]
fn several_inputs_or_outputs_are_refused() {
    let shape = [Dimension::Fixed(1), Dimension::Fixed(4)];
    let mut builder = GraphBuilder::new("two");
    let inputs = ["a", "b"].map(|name| builder.input(name, &shape, ""));
    let sum = builder.node("Add", "sum", &inputs, []);
    builder.output(&sum, &shape, "");
    let error = |bytes: &[u8]| format!("{:#}", parse(bytes, Path::new("")).unwrap_err());
    assert!(error(&builder.finish("", [])).contains("2 inputs"));

    let mut builder = GraphBuilder::new("two");
    let input = builder.input("a", &shape, "");
    for _ in 0..2 {
        let output = builder.node("Relu", "relu", &[&input], []);
        builder.output(&output, &shape, "");
    }
    assert!(error(&builder.finish("", [])).contains("2 outputs"));

    let mut builder = GraphBuilder::new("undefined");
    builder.input("a", &shape, "");
    let output = builder.node("Relu", "relu", &["nowhere"], []);
    builder.output(&output, &shape, "");
    assert!(error(&builder.finish("", [])).contains("\"nowhere\" is read before"));
    assert!(error(b"no protobuf").contains("not an ONNX file"));
}

/// The network of [`picture`] and a Reshape, changed; why it is refused.
fn refusal(change: fn(&mut GraphProto)) -> String {
    let mut network = picture();
    let shape = network.integers(&[1, 64]);
    let mut proto = ModelProto::decode(&*network.add("Reshape", &[shape], []).finish().0).unwrap();
    change(proto.graph.as_mut().unwrap());
    format!("{:#}", import(&proto, Path::new("folder")).unwrap_err())
}

fn setting(name: &str, ints: &[i64]) -> AttributeProto {
    let kind = AttributeType::Ints as i32;
    AttributeProto { name: name.into(), ints: ints.to_vec(), r#type: kind, ..AttributeProto::default() }
}

fn entry(key: &str, value: &str) -> StringStringEntryProto {
    StringStringEntryProto { key: key.into(), value: value.into() }
}

/// Makes a graph wrong.
type Spoil = fn(&mut GraphProto);

/// What tract has met with panics, or took as it came.
#[test]
fn contradictions_are_named() {
    let cases: [(&str, Spoil); 19] = [
        ("strides are [0, 1]", |g| g.node[0].attribute.push(setting("strides", &[0, 1]))),
        ("2 numbers are possible", |g| g.node[0].attribute.push(setting("strides", &[1, 1, 1]))),
        ("pads are [-1, 0, 0, 0]", |g| g.node[0].attribute.push(setting("pads", &[-1, 0, 0, 0]))),
        ("kernel_shape is [2, 2]", |g| g.node[0].attribute.push(setting("kernel_shape", &[2, 2]))),
        ("group is not of type INT", |g| g.node[0].attribute.push(setting("group", &[1]))),
        ("cannot be computed in advance", |g| g.node[0].input[0].clear()),
        ("it has no weights", |g| g.node[0].input.truncate(1)),
        ("it reads nothing", |g| g.node[0].input.clear()),
        ("writes nothing", |g| g.node[0].output.clear()),
        ("\"conv\" is written twice", |g| g.node.insert(1, g.node[0].clone())),
        ("sides are [4, 4, 3, 4]", |g| g.initializer[0].dims[3] = 4),
        ("a side is below 0", |g| g.initializer[0].dims = vec![-4, -4, 3, 3]),
        ("it is empty", |g| {
            g.initializer[0].dims = vec![i64::MAX, 0];
            g.initializer[0].raw_data.clear();
        }),
        ("have type 10", |g| g.initializer[0].data_type = 10),
        ("it has 575 bytes", |g| g.initializer[0].raw_data.truncate(575)),
        ("it makes [1, 65]", |g| g.initializer[1].raw_data[8] = 65),
        ("window of 3 does not fit into 2", |g| {
            let shape = g.input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().shape.as_mut();
            shape.unwrap().dim[2].dim_value = Some(2);
        }),
        ("a file in the folder of the ONNX file is expected", |g| {
            g.initializer[0].data_location = 1;
            g.initializer[0].external_data = vec![entry("location", "../weights")];
        }),
        ("its offset is \"x\"", |g| {
            g.initializer[0].data_location = 1;
            g.initializer[0].external_data = vec![entry("location", "weights"), entry("offset", "x")];
        }),
    ];
    for (expected, change) in cases {
        let refusal = refusal(change);
        assert!(refusal.contains(expected), "{expected:?} in {refusal}");
    }
}
