//! No bytes make the reader panic, and what it takes can be run.

use super::{Network, parse};
use crate::float::Engine;
use crate::graph::Graph;
use crate::onnx::read::{Import, import};
use crate::testing::Random;
use mobilenet::onnx::attribute::{int, ints};
use mobilenet::onnx::schema::tensor_proto::DataType;
use mobilenet::onnx::schema::{GraphProto, ModelProto};
use prost::Message;
use std::path::Path;

/// The most values of a tensor of a network that is run.
const MOST_RUN: usize = 1 << 14;

fn small() -> Network {
    let mut network = Network::new(&[4, 6, 6]);
    let weights = network.weights(&[4, 4, 3, 3]);
    network = network.add("Conv", &[weights], []).add("Relu", &[], []);
    let (pads, shape) = (network.integers(&[0, 0, 1, 1, 0, 0, 1, 1]), network.integers(&[1, 36]));
    let kernel = [ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2]), ints("pads", &[0, 0, 0, 0])];
    network = network.add("Pad", &[pads], []).add("AveragePool", &[], kernel).add("Reshape", &[shape], []);
    let weights = network.weights(&[36, 3]);
    network.add("Gemm", &[weights], []).add("Softmax", &[], [int("axis", 1)])
}

#[test]
fn whole_files_are_read() {
    small().verify();
    various().verify();
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
    let proto = ModelProto::decode(&*small().finish().0).unwrap();
    let mut refused = 0;
    for number in [-1, 0, 1, 3, 7, 1 << 20, i64::from(i32::MAX), i64::MAX, i64::MIN] {
        for place in 0.. {
            let mut changed = proto.clone();
            if !change(changed.graph.as_mut().unwrap(), place, number) {
                break;
            }
            refused += usize::from(import(&changed, Path::new("")).is_err());
        }
    }
    assert!(refused > 100, "{refused} refused");
}

/// Changes a number of a graph that is a size, an index or a setting; whether there are so many.
fn change(graph: &mut GraphProto, place: usize, number: i64) -> bool {
    let mut all: Vec<&mut i64> = Vec::new();
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        all.extend(&mut attribute.i);
        all.extend(&mut attribute.ints);
    }
    let (integers, dims): (Vec<_>, Vec<_>) = graph
        .initializer
        .iter_mut()
        .map(|tensor| (&mut tensor.raw_data, (&mut tensor.dims, tensor.data_type)))
        .unzip();
    let mut words = Vec::new();
    for (raw, (dims, kind)) in integers.into_iter().zip(dims) {
        all.extend(dims);
        if kind == DataType::Int64 as i32 {
            words.extend(raw.as_chunks_mut::<8>().0);
        }
    }
    let numbers = all.len();
    if let Some(found) = all.into_iter().nth(place) {
        *found = number;
        return true;
    }
    let word = words.into_iter().nth(place - numbers);
    word.map(|word| *word = number.to_le_bytes()).is_some()
}

/// A network whose shapes are computed in the file, and that has most operators.
fn various() -> Network {
    let mut network = Network::new(&[4, 6, 6]);
    let weights = network.weights(&[4, 4, 3, 3]);
    network = network.add("Conv", &[weights], [ints("pads", &[1, 1, 1, 1])]);
    let [gamma, variance] = [(); 2].map(|()| network.uniform(&[4], 0.5, 2.0));
    let [beta, mean] = [(); 2].map(|()| network.weights(&[4]));
    network = network.add("BatchNormalization", &[gamma, beta, mean, variance], []);
    let [low, high] = [0.0, 6.0].map(|bound| network.floats(&[], &[bound]));
    let convolved = network.at.clone();
    network = network.add("Clip", &[low, high], []).add("Add", &[convolved], []);
    network = network.add("MaxPool", &[], [ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]);
    network = network.add("Transpose", &[], [ints("perm", &[0, 2, 3, 1])]);
    let image = network.at.clone();
    let [zero, one, rest] = [0, 0, -1].map(|number| network.integers(&[number]));
    network = network.add("Shape", &[], []).add("Gather", &[zero], [int("axis", 0)]);
    network =
        network.add("Squeeze", &[], []).add("Unsqueeze", &[one], []).add("Concat", &[rest], [int("axis", 0)]);
    let shape = std::mem::replace(&mut network.at, image);
    network = network.add("Reshape", &[shape], []);
    let weights = network.weights(&[36, 3]);
    network.add("MatMul", &[weights], []).add("Softmax", &[], [])
}

/// Runs what was read, if that does not take long.
fn run(graph: &Graph) {
    if graph.tensors().iter().all(|tensor| tensor.shape.volume() <= MOST_RUN) {
        let input = vec![0.5; graph.tensor(graph.input()).shape.volume()];
        Engine::tapped(graph).unwrap().run(&input, |_, _| {}).unwrap();
    }
}

/// The same for nodes, names, settings and constants in disorder.
#[test]
fn graphs_in_disorder_are_refused_or_run() {
    let mut random = Random::new(23);
    let bases = [small(), various()].map(|network| ModelProto::decode(&*network.finish().0).unwrap());
    let mut read = 0;
    for round in 0..4000 {
        let mut proto = bases[round % bases.len()].clone();
        for _ in 0..1 + random.below(3) {
            disturb(proto.graph.as_mut().unwrap(), &mut random);
        }
        if let Ok(Import { graph, .. }) = import(&proto, Path::new("")) {
            read += 1;
            run(&graph);
        }
    }
    assert!((100..3900).contains(&read), "{read} of 4000 read");
}

/// Changes one thing of a graph.
fn disturb(graph: &mut GraphProto, random: &mut Random) {
    let names: Vec<String> = graph.node.iter().map(|node| node.output[0].clone()).collect();
    let constants = graph.initializer.iter().map(|tensor| tensor.name.clone());
    let names: Vec<String> =
        names.into_iter().chain(constants).chain(["input".into(), String::new()]).collect();
    let operators: Vec<String> = graph.node.iter().map(|node| node.op_type.clone()).collect();
    let (node, name) = (random.below(graph.node.len()), names[random.below(names.len())].clone());
    let constant = random.below(graph.initializer.len());
    let (node, tensor) = (&mut graph.node[node], &mut graph.initializer[constant]);
    match random.below(9) {
        0 => node.op_type.clone_from(&operators[random.below(operators.len())]),
        1 if !node.input.is_empty() => {
            let place = random.below(node.input.len());
            node.input[place] = name;
        }
        2 => node.input.push(name),
        3 => drop(node.input.pop()),
        4 => drop(node.attribute.pop()),
        5 => {
            let extra = [
                int("axis", random.below(7) as i64 - 3),
                int("keepdims", 0),
                int("transB", 1),
                int("group", 4),
            ];
            node.attribute.push(extra[random.below(4)].clone());
        }
        6 => {
            let sizes = [(); 4].map(|()| random.below(4));
            let extra = [
                ints("perm", &sizes),
                ints("pads", &sizes),
                ints("axes", &sizes[..2]),
                ints("strides", &sizes[2..]),
            ];
            node.attribute.push(extra[random.below(4)].clone());
        }
        7 if !tensor.dims.is_empty() => {
            let (one, other) = (random.below(tensor.dims.len()), random.below(tensor.dims.len()));
            tensor.dims.swap(one, other);
        }
        _ => tensor.dims.insert(0, 1),
    }
}
