//! Every file that fuzzing found worth keeping, read again: no panic, no more memory than the bound.
//!
//! `tests/fuzz` says how the corpus is made.

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
