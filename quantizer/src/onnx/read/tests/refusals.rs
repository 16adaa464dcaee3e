//! What cannot be read is named; no bytes make the reader panic.

use super::{Network, parse};
use crate::onnx::read::import;
use crate::testing::Random;
use mobilenet::onnx::attribute::{int, ints};
use mobilenet::onnx::{Dimension, GraphBuilder};
use std::path::Path;
use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::*;

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

fn small() -> Network {
    let mut network = picture().add("Relu", &[], []);
    let (pads, shape) = (network.integers(&[0, 0, 1, 1, 0, 0, 1, 1]), network.integers(&[1, 36]));
    let kernel = [ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2]), ints("pads", &[0, 0, 0, 0])];
    network = network.add("Pad", &[pads], []).add("AveragePool", &[], kernel).add("Reshape", &[shape], []);
    let weights = network.weights(&[36, 3]);
    network.add("Gemm", &[weights], []).add("Softmax", &[], [int("axis", 1)])
}

/// Changed bytes are refused or read; they never end the program.
#[test]
fn damaged_files_are_refused() {
    let bytes = small().finish().0;
    let mut random = Random::new(17);
    let mut refused = 0;
    for _ in 0..1000 {
        let mut damaged = bytes.clone();
        for _ in 0..1 + random.below(3) {
            let at = random.below(damaged.len());
            damaged[at] = random.below(256) as u8;
        }
        damaged.truncate(damaged.len() - random.below(2) * random.below(damaged.len()));
        refused += usize::from(parse(&damaged, Path::new("")).is_err());
    }
    assert!((250..1000).contains(&refused), "{refused} of 1000 refused");
}

/// The same for files whose sizes and settings were changed one at a time.
#[test]
fn numbers_that_cannot_be_are_refused() {
    let proto = tract_onnx::onnx().proto_model_for_read(&mut &*small().finish().0).unwrap();
    let mut refused = 0;
    for number in [-1, 0, 1, 3, 7, 1 << 20, i64::from(i32::MAX), i64::MAX, i64::MIN] {
        for place in 0.. {
            let mut changed = proto.clone();
            let Some(integer) = integers(changed.graph.as_mut().unwrap()).into_iter().nth(place) else {
                break;
            };
            *integer = number;
            refused += usize::from(import(&changed, Path::new("")).is_err());
        }
    }
    assert!(refused > 100, "{refused} refused");
}

/// All numbers of a graph that are sizes or settings.
fn integers(graph: &mut GraphProto) -> Vec<&mut i64> {
    let mut all = Vec::new();
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        all.push(&mut attribute.i);
        all.extend(&mut attribute.ints);
    }
    for tensor in &mut graph.initializer {
        all.extend(&mut tensor.dims);
        all.extend(&mut tensor.int64_data);
    }
    all
}
