//! The shipped network as a `.tflite` file in LiteRT, with XNNPACK and with the reference kernels.

mod common;

use edge8::Model;
use quantizer::compare::{Dump, Other, compare};
use quantizer::quantize::Network;
use quantizer::{image, tflite};
use std::path::Path;

/// Test images on which both answer.
const IMAGES: usize = 2000;

/// Images of which every layer is compared.
const LAYERED: usize = 8;

const KERNELS: [&str; 2] = ["xnnpack", "reference"];

/// int8 inputs of the shipped model from MNIST's test images.
fn inputs(model: &Model<'_>) -> Vec<Vec<i8>> {
    let recipe =
        model.recipe().ok().and_then(|recipe| recipe.digit()).expect("the shipped model takes pictures");
    let folder = common::root().join("trainer/data/mnist");
    let data = files::load_test(&folder, edge8::Preparation::Digit(recipe.framing()))
        .expect("part of the repository");
    let image = |index| data.image(index).iter().map(|&byte| recipe.table()[usize::from(byte)]).collect();
    (0..IMAGES).map(image).collect()
}

/// What LiteRT computes: the outputs of all inputs, every layer of the first.
fn litert(python: &Path, folder: &Path, inputs: &[Vec<i8>], kernels: &str) -> Dump {
    let bytes: Vec<u8> = inputs.iter().flatten().map(|&value| value as u8).collect();
    std::fs::write(folder.join("input.bin"), bytes).expect("written");
    let [model, input, out] = ["model.tflite", "input.bin", "out.npz"]
        .map(|name| folder.join(name).to_str().expect("UTF-8").to_owned());
    common::script(python, "dump_litert.py", &[&model, &input, &out, "--kernels", kernels]);
    Dump::read(&std::fs::read(out).expect("written")).expect("arrays")
}

/// How far a layer of LiteRT is at most from ours on the same inputs.
fn largest_difference(network: &Network, dump: &Dump, input: &[i8]) -> u8 {
    let found = compare(network, Other::Dump(dump), &[input.to_vec()]).expect("the same network");
    assert!(found.passed(), "{}", found.verdict());
    assert!(found.findings.len() >= network.layers.len(), "only {} layers compared", found.findings.len());
    found.findings.iter().map(|finding| finding.largest_own).max().unwrap_or(0)
}

#[test]
fn litert_gives_the_same_classes_and_no_operator_differs_by_more_than_one() {
    let Some(python) = common::python() else { return };
    let bytes =
        std::fs::read(common::root().join("runtime/models/mnist.edge8")).expect("part of the repository");
    let model = Model::parse(&bytes).expect("valid");
    let network = image::read(&model).expect("a quantizer's image");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = tflite::write(&network, &[]).expect("a network that the format can say");
    std::fs::write(folder.path().join("model.tflite"), file).expect("written");
    let inputs = inputs(&model);
    let (mut arena, mut output) = (vec![0; model.arena_len()], vec![0; model.output().shape.len()]);
    for kernels in KERNELS {
        let theirs = litert(&python, folder.path(), &inputs, kernels).output.expect("outputs");
        let mut agreed = 0;
        for (input, theirs) in inputs.iter().zip(theirs.chunks_exact(output.len())) {
            model.run(input, &mut arena, &mut output).expect("right lengths");
            agreed += usize::from(Model::class(&output) == Model::class(theirs));
        }
        println!("{kernels}: {agreed} of {IMAGES} classes agree");
        assert!(1000 * agreed >= 999 * IMAGES, "{kernels}: {agreed} of {IMAGES}");
        let mut largest = 0;
        for input in inputs.iter().take(LAYERED) {
            let dump = litert(&python, folder.path(), std::slice::from_ref(input), kernels);
            largest = largest.max(largest_difference(&network, &dump, input));
        }
        println!("{kernels}: no operator differs by more than {largest}");
        assert!(largest <= 1, "{kernels}");
    }
}
