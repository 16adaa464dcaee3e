//! Every file that fuzzing found worth keeping, read again, and with a few bytes changed: no panic, no more memory than the
//! bound.
//!
//! `tests/fuzz` says how the corpus is made.

use fastrand::Rng;
use quantizer::graph::{Activation, Filter, Graph, Operator, Shape, Window};
use quantizer::quantize::{Range, quantise};
use quantizer::tflite;
use std::collections::BTreeSet;
use std::path::PathBuf;
use tests::allocation::Counting;
use tests::{commands, untrusted};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a fuzz target does with a file; why it is refused.
type Read = fn(&[u8]) -> Result<(), String>;

/// The files of a target's corpus, in the order of their names.
fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = commands::root().join("tests/fuzz/corpus").join(target);
    let entries = std::fs::read_dir(folder).expect("part of the repository");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

/// Reads every file of a target's corpus; how many were accepted, and why others were refused.
fn replay(target: &str, read: Read) -> (usize, BTreeSet<String>) {
    let (mut accepted, mut refusals) = (0, BTreeSet::new());
    for path in corpus(target) {
        // If the reader panics, this is the file.
        println!("{}", path.display());
        match read(&std::fs::read(path).expect("readable")) {
            Ok(()) => accepted += 1,
            Err(refusal) => drop(refusals.insert(refusal)),
        }
    }
    (accepted, refusals)
}

/// Reads files of the corpus with up to four bytes changed and sometimes cut off: what a fuzzer begins with, for who has
/// none. How many of `cases` were accepted.
fn changed(target: &str, cases: usize, read: Read) -> usize {
    let files: Vec<_> = corpus(target).iter().map(|path| std::fs::read(path).expect("readable")).collect();
    let rng = &mut Rng::with_seed(1);
    let damaged = |_: &usize| {
        let mut file = files[rng.usize(..files.len())].clone();
        for _ in 0..rng.usize(1..=4).min(file.len()) {
            let at = rng.usize(..file.len());
            file[at] = if rng.bool() { rng.u8(..) } else { file[at] ^ (1 << rng.u8(..8)) };
        }
        if rng.u8(..8) == 0 {
            file.truncate(rng.usize(..=file.len()));
        }
        // If the reader panics, this is what it read.
        println!("{file:x?}");
        read(&file).is_ok()
    };
    (0..cases).filter(damaged).count()
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

#[test]
fn onnx_files() {
    let (accepted, refusals) = replay("onnx", untrusted::onnx);
    assert!(accepted >= 3, "{accepted} accepted; {refusals:#?}");
    let accepted = changed("onnx", 2000, untrusted::onnx);
    assert!((100..1990).contains(&accepted), "{accepted} accepted");
}

#[test]
fn picture_files() {
    let (accepted, refusals) = replay("picture", untrusted::picture);
    assert!(accepted >= 9, "{accepted} accepted; {refusals:#?}");
    let accepted = changed("picture", 5000, untrusted::picture);
    assert!((200..4500).contains(&accepted), "{accepted} accepted");
}

#[test]
fn pictures_of_any_size() {
    let (accepted, refusals) = replay("frame", untrusted::frame);
    assert!(accepted >= 4, "{accepted} accepted; {refusals:#?}");
    let accepted = changed("frame", 5000, untrusted::frame);
    assert!((500..4900).contains(&accepted), "{accepted} accepted");
}

#[test]
fn changed_tflite_files_and_model_images() {
    // Most changes break an offset.
    for (target, read) in [("tflite", untrusted::tflite as Read), ("image", untrusted::image)] {
        let accepted = changed(target, 5000, read);
        assert!((40..4900).contains(&accepted), "{accepted} of {target} accepted");
    }
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
