//! int8 networks as ONNX files in ONNX Runtime: with its int8 kernels, and in f32 as the files say.

mod common;

use edge8::Model;
use quantizer::compare::{Dump, Other, compare};
use quantizer::quantize::Network;
use quantizer::{image, onnx, tflite};
use std::path::{Path, PathBuf};

/// Test images on which both answer.
const IMAGES: usize = 2000;

const WAYS: [&[&str]; 2] = [&[], &["--float"]];

/// What ONNX Runtime computes: the outputs of all inputs, every layer of the first.
fn onnxruntime(python: &Path, network: &Network, inputs: &[i8], way: &[&str]) -> Dump {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [model, input, out] = ["model.onnx", "input.bin", "out.npz"]
        .map(|name| folder.path().join(name).to_str().expect("UTF-8").to_owned());
    std::fs::write(&model, onnx::write(network).expect("a network")).expect("written");
    std::fs::write(&input, inputs.iter().map(|&value| value as u8).collect::<Vec<u8>>()).expect("written");
    common::script(python, "dump_onnxruntime.py", &[&[&*model, &input, &out], way].concat());
    Dump::read(&std::fs::read(out).expect("written")).expect("arrays")
}

#[test]
fn the_shipped_network_has_the_runtimes_classes() {
    let Some(python) = common::python() else { return };
    let bytes =
        std::fs::read(common::root().join("runtime/models/mnist.edge8")).expect("part of the repository");
    let model = Model::parse(&bytes).expect("valid");
    let network = image::read(&model).expect("a quantizer's image");
    let inputs = common::test_inputs(&model, IMAGES);
    let (mut arena, mut output) = (vec![0; model.arena_len()], vec![0; model.output().shape.len()]);
    for way in WAYS {
        let theirs = onnxruntime(&python, &network, &inputs.concat(), way).output.expect("outputs");
        assert_eq!(theirs.len(), IMAGES * output.len());
        let (mut agreed, mut values) = (0, 0);
        for (input, theirs) in inputs.iter().zip(theirs.chunks_exact(output.len())) {
            model.run(input, &mut arena, &mut output).expect("right lengths");
            agreed += usize::from(Model::class(&output) == Model::class(theirs));
            values += output.iter().zip(theirs).filter(|(ours, theirs)| ours != theirs).count();
        }
        println!("{way:?}: {agreed} of {IMAGES} classes agree, {values} of {} values differ", theirs.len());
        assert!(1000 * agreed >= 998 * IMAGES, "{way:?}: {agreed} of {IMAGES}");
    }
}

/// ONNX Runtime multiplies in f32 and rounds halves to even, which the contract does not: nothing else makes a layer
/// differ, judged on the inputs that ONNX Runtime gave it.
#[test]
fn layers_of_golden_models_differ_by_known_roundings_alone() {
    let (Some(folder), Some(python)) = (common::shared("golden"), common::python()) else { return };
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
    let models: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "tflite")).collect();
    assert_eq!(models.len(), 10);
    for (path, way) in models.iter().flat_map(|path| WAYS.map(|way| (path, way))) {
        let read = |path: &Path| std::fs::read(path).expect("readable");
        let name = format!("{} {way:?}", path.file_stem().expect("a file").display());
        let network = tflite::read(&read(path)).expect("a golden model").network;
        let golden = Dump::read(&read(&path.with_extension("npz"))).expect("arrays");
        let dump = onnxruntime(&python, &network, &golden.input, way);
        let (found, single) = (dump.output.as_ref().expect("outputs"), &golden.tensors["single"]);
        assert_eq!(found.len(), single.len());
        let outputs = found.iter().zip(single).filter(|(found, single)| found != single).count();

        // The layers come from a session of their own: its fusions, so its roundings, need not be those of the outputs'.
        let first = golden.input[..network.tensors[0].shape.volume()].to_vec();
        let dump = Dump { output: None, input: first.clone(), ..dump };
        let comparison = compare(&network, Other::Dump(&dump), &[first]).expect("a network and its layers");
        let own: usize = comparison.findings.iter().map(|finding| finding.own).sum();
        let values: usize = comparison.findings.iter().map(|finding| finding.values).sum();
        println!(
            "{name}: {outputs} of {} outputs differ; {own} of {values} values by their layer alone",
            single.len()
        );
        assert!(comparison.passed(), "{name}: {:?}", comparison.findings);
    }
}
