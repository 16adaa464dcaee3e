//! Files that would cost more time or memory than they are long, and sections on their way through a file.

use super::schema::tflite::{Metadata, Model, ModelRef, Tensor};
use super::write::finish;
use super::{read, write};
use crate::graph::{Activation, Border, Filter, Graph, Operator, Shape, Window};
use crate::image::{self, Extras};
use crate::quantize::{Range, quantise};
use edge8::section;
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

/// The PAD comes back as the convolution's padding: there is a layer less than hashes.
#[test]
fn test_vectors_go_where_a_pad_goes() {
    let mut graph = Graph::new(Shape::new(3, 3, 1));
    let border = Border { before: [1, 1, 0], after: [1, 1, 0] };
    let input = graph.input();
    let padded = graph.add("pad", Operator::Pad(border), Activation::None, &[input]).unwrap();
    let filter = Filter::new(vec![0.5; 9], vec![0.0]).unwrap();
    let convolution = Operator::Conv2d(Window::valid([3, 3], [1, 1]), filter);
    graph.add("convolution", convolution, Activation::None, &[padded]).unwrap();
    let network = quantise(&graph, &[Range { min: -1.0, max: 1.0 }; 3]).unwrap();
    let test_inputs = vec![vec![1; 9]];
    let image = image::write(&network, &Extras { test_inputs, ..Extras::default() }).unwrap();
    let vectors = edge8::Model::parse(&image).unwrap().section(section::TEST_VECTORS).unwrap().to_vec();
    let sections = [(section::LABELS, b"one".to_vec()), (section::TEST_VECTORS, vectors)];
    let import = read(&write(&network, &sections).unwrap()).unwrap();
    assert_eq!((import.network.layers.len(), &import.sections[..]), (1, &sections[..1]));
    assert!(image::write_sections(&import.network, &import.sections).is_ok());
}
