//! `quantizer compare` on models that TensorFlow made, beside what its engines compute with them.

mod common;

use quantizer::compare::{Dump, Engine, Other, compare, inputs};
use quantizer::quantize::{Int8Operator, Network};
use quantizer::tflite;
use std::path::Path;
use std::process::{Command, Output};

fn load(folder: &Path, name: &str) -> (Network, Dump) {
    let read = |extension| std::fs::read(folder.join(name).with_extension(extension)).expect("a golden file");
    let network = tflite::read(&read("tflite")).expect("a golden model").network;
    (network, Dump::read(&read("npz")).expect("arrays"))
}

const MODELS: [&str; 10] = [
    "ad01_int8",
    "hello_world_int8",
    "kws_ref_model",
    "micro_speech_quantized",
    "mnv2_a035_s32_int8",
    "mnv2_a035_s32_stem1_trained_int8",
    "mnv2_a035_s96_int8",
    "mnv2_a050_s32_stem1_int8",
    "pretrainedResnet_quant",
    "vww_96_int8",
];

/// Every layer of TFLite Micro with single rounding, and the outputs of four engines on the first eight inputs.
#[test]
fn engines_are_recognised_by_their_outputs() {
    let Some(folder) = common::shared("golden") else { return };
    let mut explained = 0;
    for model in MODELS {
        let (network, dump) = load(&folder, model);
        let mut values = inputs::cut(&dump.input, network.tensors[0].shape.volume()).unwrap();
        values.truncate(8);
        let outputs = |name: &str| {
            let all = &dump.tensors[name];
            Some(all[..all.len() / 32 * 8].to_vec())
        };
        let single = Dump { output: outputs("single"), ..dump.clone() };
        let found = compare(&network, Other::Dump(&single), &values).unwrap();
        assert!(found.verdict().starts_with("equal"), "{model}\n{}", found.table());
        assert!(found.findings.len() > 2 && found.alone.iter().all(Vec::is_empty), "{}", found.table());
        for (name, engine) in [
            ("double", Engine::TfliteMicro),
            ("litert_ref", Engine::LitertReference),
            ("litert_xnnpack", Engine::LitertXnnpack),
        ] {
            let other = Dump { output: outputs(name), layers: Vec::new(), ..Dump::default() };
            let found = compare(&network, Other::Dump(&other), &values).unwrap();
            assert!(found.passed() && found.engines.contains(&engine), "{model} {name}: {}", found.verdict());
            explained += found.findings.iter().map(|finding| finding.own).sum::<usize>();
        }
    }
    assert!(explained > 1000, "the engines differ in only {explained} values: the test shows too little");
}

/// Every layer and output of LiteRT's kernels, as `dump_litert.py` writes them.
#[test]
fn kernels_of_litert_are_recognised() {
    let (Some(golden), Some(python)) = (common::shared("golden"), common::python()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out.npz");
    for model in ["kws_ref_model", "mnv2_a035_s32_stem1_trained_int8", "pretrainedResnet_quant"] {
        for (kernels, engine) in [
            ("xnnpack", Engine::LitertXnnpack),
            ("reference", Engine::LitertReference),
            ("optimised", Engine::LitertOptimised),
        ] {
            let files = [
                golden.join(model).with_extension("tflite"),
                golden.join(model).with_extension("npz"),
                out.clone(),
            ];
            let [file, input, output] = files.each_ref().map(|path| path.to_str().expect("UTF-8"));
            common::script(&python, "dump_litert.py", &[file, input, output, "--kernels", kernels]);
            let (network, _) = load(&golden, model);
            let dump = Dump::read(&std::fs::read(&out).expect("written")).expect("arrays");
            let values = inputs::cut(&dump.input, network.tensors[0].shape.volume()).expect("inputs");
            let found = compare(&network, Other::Dump(&dump), &values).expect("a pair");
            println!("{model} {kernels}: {}", found.verdict());
            assert!(found.passed() && found.alone[0].is_empty(), "{model} {kernels}\n{}", found.table());
            assert!(
                found.engines.contains(&engine) || found.verdict().starts_with("equal"),
                "{model} {kernels}: {:?}",
                found.engines
            );
            let layers = found.findings.iter().filter(|finding| finding.name != "output");
            assert!(layers.map(|finding| finding.largest_own).max() <= Some(1), "{}", found.table());
        }
    }
}

/// TFLite Micro has the most differences of its own: an error must show beside them.
#[test]
fn an_error_shows_beside_double_rounding() {
    let Some(folder) = common::shared("golden") else { return };
    let (network, dump) = load(&folder, "kws_ref_model");
    let values = inputs::cut(&dump.input, network.tensors[0].shape.volume()).unwrap();
    let mut output = dump.tensors["double"].clone();
    let at = 5 * 12 + 7;
    output[at] = output[at].wrapping_add(3);
    let other = Dump { output: Some(output), layers: Vec::new(), ..Dump::default() };
    let found = compare(&network, Other::Dump(&other), &values).unwrap();
    let first = found.findings[0].first_unexplained.expect("the error");
    assert_eq!((first.input, first.at, found.findings[0].unexplained), (5, [0, 0, 7], 1));
    assert!(found.engines.is_empty() && !found.passed());
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quantizer")).arg("compare").args(arguments).output().expect("it starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// The shipped network beside itself with one bias changed, from the command line.
#[test]
fn the_command_names_the_layer_and_exits_with_1() {
    let shipped = common::root().join("runtime/models/mnist.edge8");
    let bytes = std::fs::read(&shipped).expect("part of the repository");
    let model = edge8::Model::parse(&bytes).expect("a model image");
    let mut network = quantizer::image::read(&model).expect("its network");
    let name = spoil(&mut network);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let changed = folder.path().join("changed.edge8");
    std::fs::write(&changed, quantizer::image::write(&network, &Default::default()).expect("an image"))
        .expect("written");
    let [shipped, changed] = [&shipped, &changed].map(|path| path.to_str().expect("UTF-8"));
    let same = run(&[shipped, shipped, "--samples", "4"]);
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    assert!(text(&same.stdout).contains("random values, seed 0") && text(&same.stdout).contains("equal: "));
    let found = run(&[shipped, changed, "--samples", "4", "--json"]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let json: serde_json::Value =
        serde_json::from_str(text(&found.stdout).lines().last().expect("a line")).expect("JSON");
    assert_eq!((&json["first_difference"], &json["passed"]), (&name.clone().into(), &false.into()));
    assert!(text(&found.stderr).contains(&format!("first in \"{name}\"")), "{found:?}");
    assert!(text(&found.stderr).contains("biases"), "{found:?}");
}

/// Changes a bias of a convolution in the middle; its name.
fn spoil(network: &mut Network) -> String {
    let middle = network.layers.len() / 2;
    for layer in &mut network.layers[middle..] {
        if let Int8Operator::Conv2d(_, filter) = &mut layer.operator {
            filter.bias[0] += 4096;
            return layer.name.clone();
        }
    }
    panic!("the network has convolutions to its end")
}

#[test]
fn files_that_do_not_belong_together_are_one_clear_line() {
    let shipped = common::root().join("runtime/models/mnist.edge8");
    let shipped = shipped.to_str().expect("UTF-8");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let (text_file, zip, short) =
        (file("a.txt", b"no model"), file("b.npz", b"PK no zip"), file("c.bin", &[1; 7]));
    let cases: [(&[&str], &str); 4] = [
        (&[shipped, &text_file], "neither .edge8 nor .tflite"),
        (&[shipped, &zip], "not an .npz file"),
        (&[shipped, shipped, "--input", &short], "7 values"),
        (&[shipped, "missing.npz"], "missing.npz"),
    ];
    for (arguments, word) in cases {
        let found = run(arguments);
        assert_eq!(found.status.code(), Some(1), "{found:?}");
        let errors: Vec<&str> =
            text(&found.stderr).lines().filter(|line| line.starts_with("error:")).collect();
        assert!(errors.len() == 1 && errors[0].contains(word), "{found:?}");
        assert!(!text(&found.stderr).contains("panicked"), "{found:?}");
    }
    assert_eq!(run(&[shipped, shipped, "--samples", "0"]).status.code(), Some(2));
}
