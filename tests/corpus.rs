//! Every file that fuzzing found worth keeping, read again: no panic, no more memory than the bound.
//!
//! `tests/fuzz` says how the corpus is made.

use quantizer::graph::{Activation, Filter, Graph, Operator, Shape, Window};
use quantizer::quantize::{Range, quantise};
use quantizer::tflite;
use std::collections::BTreeSet;
use tests::allocation::Counting;
use tests::{commands, untrusted};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads every file of a target's corpus; how many were accepted, and why others were refused.
fn replay(target: &str, read: fn(&[u8]) -> Result<(), String>) -> (usize, BTreeSet<String>) {
    let folder = commands::root().join("tests/fuzz/corpus").join(target);
    let (mut accepted, mut refusals) = (0, BTreeSet::new());
    for entry in std::fs::read_dir(folder).expect("part of the repository") {
        let path = entry.expect("readable").path();
        // If the reader panics, this is the file.
        println!("{}", path.display());
        match read(&std::fs::read(path).expect("readable")) {
            Ok(()) => accepted += 1,
            Err(refusal) => drop(refusals.insert(refusal)),
        }
    }
    (accepted, refusals)
}

#[test]
fn tflite_files() {
    let (accepted, refusals) = replay("tflite", untrusted::tflite);
    assert!(accepted >= 10 && refusals.len() >= 50, "{accepted} accepted; {refusals:#?}");
}

#[test]
fn model_images() {
    let (accepted, refusals) = replay("image", untrusted::image);
    assert!(accepted >= 10 && refusals.len() >= 20, "{accepted} accepted; {refusals:#?}");
}

/// As many operators as are read, half of their outputs alive at the same time: too large for the corpus.
#[test]
fn a_file_of_4095_operators() {
    let mut graph = Graph::new(Shape::new(1, 1, 1));
    let input = graph.input();
    let mut add = |name: String, operator, inputs: &[_]| {
        let long = format!("{name:x<256}");
        graph.add(long, operator, Activation::None, inputs).expect("a node")
    };
    let filter = Filter::new(vec![0.5], vec![0.1]).expect("a filter");
    let leaf =
        |index| add(format!("leaf {index} "), Operator::Conv2d(Window::POINT, filter.clone()), &[input]);
    let leaves: Vec<_> = (0..2048).map(leaf).collect();
    let sum = |one, (index, &other)| add(format!("sum {index} "), Operator::Add, &[one, other]);
    leaves.iter().enumerate().skip(1).fold(leaves[0], sum);
    let ranges = vec![Range { min: -1.0, max: 1.0 }; graph.tensors().len()];
    let network = quantise(&graph, &ranges).expect("int8");
    assert_eq!(network.layers.len(), 4095);
    let file = tflite::write(&network, &[]).expect("a file");
    assert_eq!(untrusted::tflite(&file), Ok(()));
}
