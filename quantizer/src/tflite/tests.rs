//! Files that would cost more time or memory than they are long.

use super::schema::tflite::{Metadata, Model, ModelRef, Tensor};
use super::write::finish;
use super::{read, write};
use crate::graph::{Activation, Graph, Operator, Shape};
use crate::quantize::{Range, quantise};
use planus::ReadAsRoot;

/// The file of a MEAN, changed; why it is refused, or [`None`].
fn refusal(change: impl FnOnce(&mut Model)) -> Option<String> {
    let mut graph = Graph::new(Shape::new(2, 2, 3));
    let input = graph.input();
    graph.add("mean", Operator::Mean, Activation::None, &[input]).unwrap();
    let network = quantise(&graph, &[Range { min: -1.0, max: 1.0 }; 2]).unwrap();
    let bytes = write(&network, &[]).unwrap();
    let mut model = Model::try_from(ModelRef::read_as_root(&bytes).unwrap()).unwrap();
    change(&mut model);
    read(&finish(&model)).err().map(|error| format!("{error:#}"))
}

fn tensors(model: &mut Model) -> &mut Vec<Tensor> {
    model.subgraphs.as_mut().unwrap()[0].tensors.as_mut().unwrap()
}

#[track_caller]
fn assert_bound(most: usize, reason: &str, change: impl Fn(&mut Model, usize)) {
    assert_eq!(refusal(|model| change(model, most)), None);
    let refusal = refusal(|model| change(model, most + 1)).expect("one more is refused");
    assert!(refusal.contains(reason), "{refusal}");
}

#[test]
fn names_are_at_most_64_kib() {
    assert_bound(1 << 16, "a name of 65537 bytes", |model, len| {
        tensors(model)[0].name = Some("é".repeat(len / 2) + &"x".repeat(len % 2));
    });
}

#[test]
fn metadata_entries_are_counted() {
    assert_bound(1024, "1025 metadata entries", |model, count| {
        let entry = Metadata { name: Some("note".into()), buffer: 0 };
        model.metadata = Some(vec![entry; count]);
    });
}

#[test]
fn lists_of_axes_are_short() {
    assert_bound(8, "36 bytes", |model, count| {
        let axes = tensors(model).iter().position(|tensor| tensor.type_ == 2).unwrap();
        let buffer = tensors(model)[axes].buffer as usize;
        let values = [1i32, 2].iter().cycle().take(count);
        model.buffers.as_mut().unwrap()[buffer].data =
            Some(values.flat_map(|axis| axis.to_le_bytes()).collect());
    });
}

#[test]
fn kept_names_are_cut_between_characters() {
    let mut graph = Graph::new(Shape::new(2, 2, 3));
    let input = graph.input();
    graph.add("x".to_owned() + &"é".repeat(200), Operator::Mean, Activation::None, &[input]).unwrap();
    let network = quantise(&graph, &[Range { min: -1.0, max: 1.0 }; 2]).unwrap();
    let import = read(&write(&network, &[]).unwrap()).unwrap();
    assert_eq!(import.network.layers[0].name, "x".to_owned() + &"é".repeat(127));
}

#[test]
fn tmp_worst() {
    use super::schema::tflite::{self as t, *};
    let c = 60_000usize;
    let q = || Some(Box::new(QuantizationParameters { scale: Some(vec![0.5]), zero_point: Some(vec![0]), ..Default::default() }));
    let long = "n".repeat(256);
    let ten = |dims: Vec<i32>, buffer| Tensor { shape: Some(dims), type_: 9, buffer, name: Some(long.clone()), quantization: q(), ..Default::default() };
    let conv = |i: i32, o: i32| Operator { opcode_index: 0, inputs: Some(vec![i, 1, -1]), outputs: Some(vec![o]),
        builtin_options: Some(BuiltinOptions::Conv2DOptions(Box::new(Conv2DOptions { padding: 1, stride_w: 1, stride_h: 1, fused_activation_function: 0, dilation_w_factor: 1, dilation_h_factor: 1 }))) };
    let add = Operator { opcode_index: 1, inputs: Some(vec![2, 3]), outputs: Some(vec![4]), builtin_options: None };
    let model = Model { version: 3, operator_codes: Some(vec![
            OperatorCode { deprecated_builtin_code: 3, custom_code: None, version: 3, builtin_code: 3 },
            OperatorCode { deprecated_builtin_code: 0, custom_code: None, version: 3, builtin_code: 0 }]),
        subgraphs: Some(vec![SubGraph { tensors: Some(vec![ten(vec![1,1,1,1], 0), ten(vec![c as i32,1,1,1], 1), ten(vec![1,1,1,c as i32], 0), ten(vec![1,1,1,c as i32], 0), ten(vec![1,1,1,c as i32], 0)]),
            inputs: Some(vec![0]), outputs: Some(vec![4]), operators: Some(vec![conv(0, 2), conv(0, 3), add]), name: None }]),
        description: None, buffers: Some(vec![t::Buffer { data: None }, t::Buffer { data: Some(vec![1; c]) }]), metadata_buffer: None, metadata: None };
    let bytes = finish(&model);
    std::fs::write("/tmp/worst1.tflite", &bytes).unwrap();
    eprintln!("{:?}", read(&bytes).map(|i| i.network.layers.len()));
    // depthwise
}
