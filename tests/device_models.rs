//! The golden models on a Cortex-M4, M7 and M33: every layer's bits, and what a run costs beside TensorFlow Lite Micro with
//! CMSIS-NN.

use fastrand::Rng;
use quantizer::image::{self, Extras};
use quantizer::tflite;
use std::path::Path;
use std::process::Output;
use tests::{cross, device, tools};

/// The golden models, and of some the millions of instructions that TensorFlow Lite Micro with CMSIS-NN takes on a Cortex-M4 for
/// a run, and for all before the first (`../shared/design/peers.md`).
const MODELS: [(&str, Option<[f64; 2]>); 10] = [
    ("mnv2_a035_s32_int8", Some([6.47, 9.16])),
    ("mnv2_a035_s32_stem1_trained_int8", Some([20.79, 9.14])),
    ("mnv2_a050_s32_stem1_int8", Some([29.15, 11.77])),
    ("mnv2_a035_s96_int8", Some([45.09, 9.14])),
    ("vww_96_int8", Some([24.10, 3.52])),
    ("pretrainedResnet_quant", Some([29.86, 0.54])),
    ("kws_ref_model", Some([7.70, 0.79])),
    ("ad01_int8", Some([0.58, 0.08])),
    ("hello_world_int8", None),
    ("micro_speech_quantized", None),
];

/// Bytes of stack that a run may take.
const MOST_STACK: usize = 1024;

/// Millions of instructions that the checks of a model may take, its checksum apart.
const MOST_SET_UP: f64 = 0.105;

/// The models as images with test vectors of random inputs.
fn images(golden: &Path) -> Vec<(usize, Vec<u8>)> {
    let mut rng = Rng::with_seed(1);
    let image = |(name, _): &(&str, _)| {
        let file = std::fs::read(golden.join(name).with_extension("tflite")).expect("readable");
        let network = tflite::read(&file).expect("a golden model").network;
        let len = network.tensors[0].shape.volume();
        let test_inputs = vec![(0..len).map(|_| rng.i8(..)).collect()];
        (0, image::write(&network, &Extras { test_inputs, ..Extras::default() }).expect("an image"))
    };
    MODELS.iter().map(image).collect()
}

/// Runs the models on a board; what the run printed.
fn run(golden: &Path, target: &str, board: &str, plugin: Option<&Path>) -> Output {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let blob = folder.join(format!("golden-{target}.bin"));
    std::fs::write(&blob, device::blob(&images(golden))).expect("written");
    let run = device::run(board, &device::build(target, folder, Some(&blob)), plugin);
    let text = String::from_utf8_lossy(&run.stdout);
    let equal = text.lines().filter(|line| line.ends_with(" equal")).count();
    assert!(run.status.success() && equal == MODELS.len(), "{target} on {board}: {text}");
    run
}

#[test]
fn golden_models_have_the_bits_of_the_host() {
    let Some(golden) = tools::shared("golden") else { return };
    let plugin = cross::counter(Path::new(env!("CARGO_TARGET_TMPDIR")));
    for (target, boards) in device::BOARDS.into_iter().filter(|(target, _)| device::available(target)) {
        for board in boards {
            let run = run(&golden, target, board, plugin.as_deref());
            println!(
                "{board}, millions of instructions beside TensorFlow Lite Micro with CMSIS-NN on a Cortex-M4:"
            );
            let counts = device::counts(&run);
            assert!(plugin.is_none() || counts.len() == MODELS.len(), "the plugin counted {counts:?}");
            report(&counts, &stacks(&String::from_utf8_lossy(&run.stdout)));
        }
    }
}

/// A program for a Cortex-M0 has scalar kernels only. QEMU's has too little memory for the models: a Cortex-M4 runs it.
#[test]
fn a_cortex_m0_has_the_bits_of_the_host() {
    let target = "thumbv6m-none-eabi";
    let golden = tools::shared("golden").filter(|_| device::available(target));
    if let Some(golden) = golden {
        run(&golden, target, "mps2-an386", None);
    }
}

/// The bytes of stack that each model takes.
fn stacks(text: &str) -> Vec<usize> {
    let number = |line: &str| line.split(' ').nth(2).and_then(|word| word.parse().ok());
    text.lines().map(|line| number(line).expect("a number")).collect()
}

/// Prints what each model costs, and checks the stack and what comes before the first run; runs are the matter of the test
/// `instructions`.
fn report(counts: &[[u64; 3]], stacks: &[usize]) {
    for (index, ((name, peer), stack)) in MODELS.iter().zip(stacks).enumerate() {
        print!("{name:<33} stack {stack:>4}");
        if let Some(&[parse, checksum, run]) = counts.get(index) {
            let [set_up, checksum, run] = [parse - checksum, checksum, run].map(|count| count as f64 / 1e6);
            print!(", set-up {set_up:.3} and {checksum:.3} for the checksum, run {run:.3}");
            if let Some([whole, before]) = peer {
                print!(" beside {before:.2} and {whole:.2}: {:.3}", run / whole);
            }
            assert!(set_up <= MOST_SET_UP, "{name}: {set_up} million instructions before the first run");
        }
        println!();
    }
    assert!(stacks.iter().all(|&stack| stack <= MOST_STACK), "{stacks:?}");
}
