//! A GPU beside the CPU. The tests that are ignored take the GPU that there is; others run them on an emulated one.

use std::collections::BTreeMap;
use std::process::Command;

use candle_core::{DType, Device as TensorDevice};

use super::*;
use crate::device::Precision;
use crate::fit::tests::{data, finished, recipe, run_with};
use crate::fit::{Others, Outcome, Recipe, Teacher};
use crate::network::tests::{pictures, smooth};
use mobilenet::Architecture;

#[path = "../../../tests/emulator/mod.rs"]
mod emulator;

const CLASSES: usize = 3;
const IMAGES: usize = 16;
const RATES: Rates = Rates { learning: 1e-3, decay: 0.01, averaging: 0.999 };

/// Runs a test of this file, which is ignored, with the emulated GPU.
fn emulated(name: &str) {
    let Some(folder) = emulator::folder() else { return };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("fit::engine::tests::{name}"), "--ignored", "--nocapture"]);
    let output = command.env("LD_LIBRARY_PATH", folder).output().unwrap();
    let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    println!("{out}{error}");
    assert!(output.status.success() && out.contains("1 passed"), "{name}");
}

#[test]
fn every_gradient_is_the_cpus_emulated() {
    emulated("every_gradient_is_the_cpus");
}

#[test]
fn short_precisions_learn_emulated() {
    emulated("short_precisions_learn");
}

#[test]
fn a_run_goes_on_on_another_device_emulated() {
    emulated("a_run_goes_on_on_another_device");
}

#[test]
fn the_optimizer_and_the_graph_emulated() {
    emulated("the_optimizer_and_the_graph");
}

/// A network and what it is to learn.
struct Case {
    name: &'static str,
    architecture: Architecture,
    freeze: usize,
    /// Whether values before ReLU6 are kept between its kinks, where the gradient is well-conditioned.
    smooth: bool,
    /// Outliers, a teacher, uneven classes and smoothing.
    everything: bool,
}

fn case(name: &'static str, input: [usize; 2], stride: usize) -> Case {
    let classes = ["a", "b", "c"].map(String::from).to_vec();
    let architecture = Architecture::new(0.35, input, stride, classes).unwrap();
    Case { name, architecture, freeze: 0, smooth: true, everything: false }
}

impl Case {
    fn change(self, change: impl Fn(Architecture) -> anyhow::Result<Architecture>) -> Self {
        Self { architecture: change(self.architecture).unwrap(), ..self }
    }

    fn network(&self) -> Network {
        let mut network = Network::new(self.architecture.clone(), 5);
        if self.smooth {
            smooth(&mut network);
        }
        network.recalibrate([Ok(self.pictures())].into_iter()).unwrap();
        network.freeze(self.freeze);
        network
    }

    /// Noise, from dark to bright.
    fn pictures(&self) -> Tensor {
        let brightness: Vec<f32> = (1..=IMAGES).map(|image| image as f32 / IMAGES as f32).collect();
        let brightness = Tensor::from_vec(brightness, (IMAGES, 1, 1, 1), &TensorDevice::Cpu).unwrap();
        pictures(IMAGES, &self.architecture).broadcast_mul(&brightness).unwrap()
    }

    fn batch(&self) -> Batch {
        let width = self.architecture.dropout_width();
        let teacher = |index: usize| ((index * 7 % 11) as f32 - 5.0) / 2.0;
        let taught: Vec<f32> = (0..IMAGES * CLASSES).map(teacher).collect();
        let taught = Tensor::from_vec(taught, (IMAGES, CLASSES), &TensorDevice::Cpu).unwrap();
        let classes = if self.everything { CLASSES + 1 } else { CLASSES };
        Batch {
            pictures: self.pictures(),
            classes: (0..IMAGES).map(|index| (index % classes) as u32).collect(),
            taught: self.everything.then_some(taught),
            dropout: (0..IMAGES * width).map(|index| [0.0, 1.5, 1.5][index % 3]).collect(),
        }
    }

    fn targets(&self) -> Targets {
        let teacher = Teacher { file: String::new(), sha256: String::new(), temperature: 3.0, weight: 0.6 };
        match self.everything {
            true => Targets::new(CLASSES, 0.1, None, Some(&[30, 10, 20])).with_teacher(Some(&teacher)),
            false => Targets::new(CLASSES, 0.0, None, None),
        }
    }

    /// A step on that device: what it said, the gradient by the trained values, and the optimizer.
    fn step(&self, device: Device) -> (Done, Vec<f32>, AdamW) {
        let network = self.network();
        let frozen = network.frozen_values();
        let mut optimizer = AdamW::new(network.trained().to_vec());
        let targets = self.targets();
        let mut engine = Engine::new(device, network, IMAGES, &targets).unwrap();
        let done = engine.step(&mut optimizer, &targets, &self.batch(), RATES).unwrap();
        engine.fetch(&mut optimizer).unwrap();
        let gradient = match &engine {
            Engine::Cpu(cpu) => cpu.gradient.clone(),
            Engine::Cuda(learner) => learner.gradients().unwrap(),
        };
        (done, gradient[frozen..].to_vec(), optimizer)
    }
}

fn cases() -> Vec<Case> {
    let grey = || case("grey", [32, 32], 1);
    let no_hidden = |architecture: Architecture| architecture.with_hidden(None);
    let frozen = |name, freeze| Case { name, freeze, ..grey() };
    vec![
        grey(),
        case("colour, no hidden layer", [20, 32], 1).change(|a| a.with_channels(3)).change(no_hidden),
        case("stride 2, odd sides", [45, 61], 2).change(|a| a.with_hidden(Some(21))),
        case("few channels at the end", [33, 48], 1).change(|a| a.with_last_channels(Some(72))),
        Case { name: "everything that a loss can have", everything: true, ..grey() },
        Case { everything: true, ..frozen("frozen: 4 layers", 4) },
        frozen("frozen: 17 layers", 17),
        frozen("frozen: all but dense", 18),
        frozen("frozen: all but one dense", 18).change(no_hidden),
        Case { smooth: false, ..case("with ReLU6's kinks", [64, 64], 1) },
    ]
}

/// What a part is of: its convolution's kind, and whether weight, gamma, beta or bias.
fn kind(name: &str) -> String {
    name.split('.')
        .filter(|part| *part != "blocks" && part.parse::<usize>().is_err())
        .collect::<Vec<_>>()
        .join(" ")
}

fn norm(values: impl Iterator<Item = f32>) -> f64 {
    values.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt()
}

/// The largest relative error of a part's gradient, by kind. Where all that follows a beta is linear up to another
/// normalisation, its gradient is 0, and only noise is there: that is compared with gamma's.
fn errors(network: &Network, found: &[f32], expected: &[f32]) -> BTreeMap<String, f64> {
    let mut errors = BTreeMap::new();
    let (mut start, mut left) = (0, network.frozen_values());
    let mut before = 0.0;
    for part in network.parts() {
        if left > 0 {
            left -= part.len();
            continue;
        }
        let (found, expected) = (&found[start..][..part.len()], &expected[start..][..part.len()]);
        start += part.len();
        let difference = norm(found.iter().zip(expected).map(|(a, b)| a - b));
        let own = norm(expected.iter().copied());
        let size = if part.name.ends_with("beta") { own.max(before) } else { own };
        before = own;
        let error = difference / (size + 1e-6);
        let largest = errors.entry(kind(&part.name)).or_insert(0f64);
        *largest = if error.is_nan() { error } else { largest.max(error) };
    }
    assert_eq!((start, left), (found.len(), 0));
    errors
}

#[test]
#[ignore = "takes a GPU; every_gradient_is_the_cpus_emulated takes none"]
fn every_gradient_is_the_cpus() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (expected, cpu, _) = case.step(Device::Cpu);
        let (done, gpu, _) = case.step(Device::Cuda(Precision::F32));
        let errors = errors(&case.network(), &gpu, &cpu);
        let text: Vec<String> = errors.iter().map(|(kind, error)| format!("{kind} {error:.1e}")).collect();
        println!("{}: loss {:.6} and {:.6}; {}", case.name, done.loss, expected.loss, text.join(", "));
        // Near a kink of ReLU6 the last bit decides.
        let bound = if case.smooth { 1e-3 } else { 5e-2 };
        let good = |error: &f64| *error < bound;
        let same = (done.loss - expected.loss).abs() < 1e-4 && done.correct == expected.correct;
        if !same || !errors.values().all(good) {
            wrong.push(case.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
#[ignore = "takes a GPU; short_precisions_learn_emulated takes none"]
fn short_precisions_learn() {
    for precision in [Precision::Bf16, Precision::F16] {
        for case in [case("grey", [32, 32], 2), case("colour", [20, 32], 1).change(|a| a.with_channels(3))] {
            let targets = case.targets();
            let network = case.network();
            let before = network.trained().to_vec();
            let mut optimizer = AdamW::new(before.clone());
            let mut engine = Engine::new(Device::Cuda(precision), network, IMAGES, &targets).unwrap();
            let batch = case.batch();
            let mut step = || engine.step(&mut optimizer, &targets, &batch, RATES).unwrap().loss;
            let losses: Vec<f64> = (0..6).map(|_| step()).collect();
            engine.fetch(&mut optimizer).unwrap();
            let expected = case.step(Device::Cpu).0.loss;
            println!("{precision:?}, {}: losses {losses:.3?}, the CPU's first {expected:.3}", case.name);
            assert!((losses[0] - expected).abs() < 0.05 * expected);
            assert!(losses[5] < 0.9 * losses[0]);
            // f16 may leave out steps whose gradients overflow.
            assert!((3..=6).contains(&optimizer.steps), "{} steps", optimizer.steps);
        }
    }
}

#[test]
#[ignore = "takes a GPU; the_optimizer_and_the_graph_emulated takes none"]
fn the_optimizer_and_the_graph() {
    let case = Case { everything: true, freeze: 2, ..case("grey", [32, 32], 2) };
    let targets = case.targets();
    let network = case.network();
    let decays = network.parts().iter().flat_map(|part| std::iter::repeat_n(part.decays, part.len()));
    let decays: Vec<bool> = decays.skip(network.frozen_values()).collect();
    let frozen = network.frozen_values();
    let mut start = AdamW::new(network.trained().to_vec());
    // In the middle of a run.
    start.steps = 40;
    start.first.iter_mut().enumerate().for_each(|(index, value)| *value = 1e-3 * (index % 7) as f32);
    start.second.iter_mut().enumerate().for_each(|(index, value)| *value = 1e-5 * (index % 5) as f32);
    let mut engine = Engine::new(Device::Cuda(Precision::F32), network, IMAGES, &targets).unwrap();
    let mut results = Vec::new();
    // The first step is launched kernel by kernel, the second as a graph.
    for _ in 0..2 {
        engine.restore(&start).unwrap();
        let mut found = start.clone();
        let done = engine.step(&mut found, &targets, &case.batch(), RATES).unwrap();
        engine.fetch(&mut found).unwrap();
        let Engine::Cuda(learner) = &engine else { panic!("another device") };
        let gradient = learner.gradients().unwrap();
        let mut expected = start.clone();
        expected.step(&gradient[frozen..], &decays, RATES);
        assert_eq!(found.steps, expected.steps);
        let vectors =
            |state: &AdamW| [&state.values, &state.first, &state.second, &state.averaged].map(Clone::clone);
        for (found, expected) in vectors(&found).iter().zip(vectors(&expected)) {
            let difference = norm(found.iter().zip(&expected).map(|(a, b)| a - b));
            assert!(difference <= 1e-6 * norm(expected.iter().copied()), "{difference}");
        }
        results.push((done.loss, gradient[frozen..].to_vec(), found));
    }
    let apart = norm(results[0].1.iter().zip(&results[1].1).map(|(a, b)| a - b));
    assert!(apart <= 1e-5 * norm(results[0].1.iter().copied()), "{apart}");
    assert!((results[0].0 - results[1].0).abs() < 1e-6);
}

#[test]
#[ignore = "takes a GPU; a_run_goes_on_on_another_device_emulated takes none"]
fn a_run_goes_on_on_another_device() {
    let data = data(100, 28);
    // So little that different rounding does not grow from step to step.
    let recipe = Recipe { outliers: 0.25, learning_rate: 1e-5, ..recipe(&data, 2) };
    let folder = tempfile::tempdir().unwrap();
    let run = |device: Device, resume: bool, stop_after: Option<usize>| {
        let others = Others { device, ..Others::default() };
        run_with(others, &recipe, &data, folder.path(), resume, stop_after)
    };
    let gpu = Device::Cuda(Precision::F32);
    let whole = finished(run(Device::Cpu, false, None));
    for [first, second] in [[gpu, Device::Cpu], [Device::Cpu, gpu], [gpu, gpu]] {
        assert!(matches!(run(first, false, Some(3)), Outcome::Interrupted { .. }));
        let resumed = finished(run(second, true, None));
        assert_eq!(resumed.history.len(), 2);
        for (found, expected) in resumed.history.iter().zip(&whole.history) {
            println!(
                "{first:?}, then {second:?}: loss {:.4}, on the CPU alone {:.4}",
                found.loss, expected.loss
            );
            assert!((found.loss - expected.loss).abs() < 1e-2 * expected.loss);
        }
    }
}

/// What the GPU gets of a loss makes the same loss.
#[test]
fn weighted_targets_make_the_loss() {
    use candle_nn::ops::log_softmax;
    let case = Case { everything: true, ..case("", [32, 32], 1) };
    let (targets, batch) = (case.targets(), case.batch());
    let logits =
        (pictures(IMAGES, &case.architecture).flatten_from(1).unwrap()).narrow(1, 0, CLASSES).unwrap();
    let logits = (logits * 4.0).unwrap().to_dtype(DType::F32).unwrap();
    let expected = targets.loss(&logits, &batch.classes, batch.taught.as_ref()).unwrap();
    let [hard, soft] = targets.weighted(&batch.classes, batch.taught.as_ref()).unwrap();
    let part = |weights: Vec<f32>, temperature: f64| {
        let weights = Tensor::from_vec(weights, (IMAGES, CLASSES), &TensorDevice::Cpu).unwrap();
        let logs = log_softmax(&(&logits / temperature).unwrap(), 1).unwrap();
        (logs * weights).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()
    };
    let loss = -part(hard, 1.0) - part(soft, targets.temperature().unwrap().into());
    assert!((loss - expected.to_scalar::<f32>().unwrap()).abs() < 1e-5);
}
