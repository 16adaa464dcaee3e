//! `.tflite` files made elsewhere: the same bits as their oracles, layer by layer.

mod common;

use edge8::KernelSet;
use edge8::Model;
use edge8::format::ALIGNMENT;
use quantizer::compare::Dump;
use quantizer::plan::NetworkPlan;
use quantizer::quantize::{Int8Operator, Network};
use quantizer::{image, tflite};
use std::path::{Path, PathBuf};

/// The `.tflite` files of a folder, in order.
fn models(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
    let mut models: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "tflite")).collect();
    models.sort();
    models
}

/// Outputs and layers that have been compared.
#[derive(Default)]
struct Compared {
    outputs: usize,
    layers: usize,
    operators: std::collections::BTreeSet<&'static str>,
}

/// Compares an imported file with its oracle: `wanted` are the outputs of all inputs.
fn compare(path: &Path, dump: &Dump, wanted: &[i8], compared: &mut Compared) {
    let name = path.file_name().expect("a file").display();
    let bytes = std::fs::read(path).expect("readable");
    let import = tflite::read(&bytes).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    let image = image::write_sections(&import.network, &import.sections).expect("an image");
    let model = Model::parse(&image).expect("a valid image");
    let whole = NetworkPlan::layer_by_layer(&import.network, ALIGNMENT);
    let whole = image::write_planned(&import.network, &whole, &[]).expect("an image");
    let whole = Model::parse(&whole).expect("a valid image");
    let (mut arena, mut output) = (vec![0x5a; model.arena_len()], vec![0; model.output().shape.len()]);
    let origins = origins(&import);
    let inputs = dump.input.chunks_exact(model.input().shape.len());
    assert_eq!(inputs.len() * output.len(), wanted.len(), "{name}");
    for (index, (input, wanted)) in inputs.zip(wanted.chunks_exact(output.len())).enumerate() {
        if index == 0 {
            compare_layers(&name.to_string(), &model, input, dump, &origins, compared);
            compare_kernels(&name.to_string(), &[model, whole], input);
        }
        model.run(input, &mut arena, &mut output).expect("right lengths");
        assert!(output == wanted, "{name}: output {index} differs");
        compared.outputs += 1;
    }
    way_back(&name.to_string(), &image);
}

/// Every layer of the image that gives the result of an operator of the file.
fn compare_layers(
    name: &str,
    model: &Model<'_>,
    input: &[i8],
    dump: &Dump,
    origins: &[Option<usize>],
    compared: &mut Compared,
) {
    let layers = image::run_layers(model, input).expect("the right length");
    for ((operator, values), origin) in model.operators().zip(layers).zip(origins) {
        if let Some(origin) = *origin {
            let (kind, wanted) = &dump.layers[origin];
            assert!(values == *wanted, "{name}: operator {origin}, {kind}, differs");
            compared.layers += 1;
            compared.operators.insert(operator.name());
        }
    }
}

/// Every kernel set, streamed and layer by layer: the same bits in every layer.
fn compare_kernels(name: &str, models: &[Model<'_>], input: &[i8]) {
    let scalar =
        image::run_layers(&models[0].with_kernels(KernelSet::SCALAR), input).expect("the right length");
    for model in models {
        for kernels in KernelSet::available() {
            let layers = image::run_layers(&model.with_kernels(kernels), input).expect("the right length");
            let different = layers.iter().zip(&scalar).position(|(found, wanted)| found != wanted);
            assert_eq!(different, None, "{name}: {} kernels", kernels.name());
        }
    }
}

/// For each record of the image the operator of the file whose result it gives.
fn origins(import: &tflite::Import) -> Vec<Option<usize>> {
    let layers = import.network.layers.iter().zip(&import.origins);
    layers
        .filter(|(layer, _)| !matches!(layer.operator, Int8Operator::Reshape))
        .map(|(_, origin)| *origin)
        .collect()
}

/// An exported image comes back bit for bit.
fn way_back(name: &str, image: &[u8]) {
    let network: Network = image::read(&Model::parse(image).expect("valid")).expect("a quantizer's image");
    let file = tflite::write(&network, &[]).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    let import = tflite::read(&file).unwrap_or_else(|error| panic!("{name} exported: {error:#}"));
    assert!(
        image::write_sections(&import.network, &[]).expect("an image") == image,
        "{name}: the way back differs"
    );
}

#[test]
fn golden_models_have_the_bits_of_tflite_micro() {
    let Some(folder) = common::shared("golden") else { return };
    let mut compared = Compared::default();
    for path in models(&folder) {
        let dump = Dump::read(&std::fs::read(path.with_extension("npz")).expect("readable")).expect("arrays");
        compare(&path, &dump, &dump.tensors["single"], &mut compared);
    }
    println!("{} outputs, {} layers", compared.outputs, compared.layers);
    assert!(compared.outputs >= 10 * 32 && compared.layers > 330);
}

#[test]
fn random_graphs_have_the_bits_of_an_independent_oracle() {
    let (Some(oracle), Some(python)) = (common::shared("tools/oracle.py"), common::python()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [oracle, out] = [&oracle, folder.path()].map(|path| path.to_str().expect("UTF-8"));
    common::script(&python, "random_graphs.py", &[oracle, "200", out]);
    let mut compared = Compared::default();
    for path in models(folder.path()) {
        let dump = Dump::read(&std::fs::read(path.with_extension("npz")).expect("readable")).expect("arrays");
        compare(&path, &dump, dump.output.as_deref().expect("outputs"), &mut compared);
    }
    println!("{} outputs, {} layers of {:?}", compared.outputs, compared.layers, compared.operators);
    assert_eq!(compared.outputs, 800);
    let all = [
        "ADD",
        "AVERAGE_POOL_2D",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "MAX_POOL_2D",
        "MEAN",
        "PAD",
        "SOFTMAX",
    ];
    assert!(compared.operators.iter().eq(&all), "{:?}", compared.operators);
}

/// TensorFlow Lite Micro's arenas in bytes, as measured with its own interpreter (`../shared/design/peers.md`).
const TFLITE_MICRO: [(&str, usize); 8] = [
    ("mnv2_a035_s32_int8", 83_204),
    ("mnv2_a035_s32_stem1_trained_int8", 129_108),
    ("mnv2_a050_s32_stem1_int8", 151_060),
    ("mnv2_a035_s96_int8", 205_908),
    ("vww_96_int8", 100_708),
    ("pretrainedResnet_quant", 54_996),
    ("kws_ref_model", 22_820),
    ("ad01_int8", 2_580),
];

#[test]
fn arenas_are_smaller_than_those_of_tflite_micro() {
    let Some(folder) = common::shared("golden") else { return };
    let (mut ours, mut theirs) = (0, 0);
    for (name, micro) in TFLITE_MICRO {
        let bytes = std::fs::read(folder.join(name).with_extension("tflite")).expect("readable");
        let plan = image::memory_plan(&tflite::read(&bytes).expect("a golden model").network);
        let (arena, bound) = (plan.arena, plan.lower_bound);
        println!("{name:<33} arena {arena:>7}, lower bound {bound:>7}, TFLite Micro {micro:>7}");
        assert!(arena <= micro, "{name}");
        ours += arena;
        theirs += micro;
    }
    println!("{ours} of {theirs}: {:.2}", ours as f64 / theirs as f64);
    assert!(10 * ours <= 8 * theirs);
}
