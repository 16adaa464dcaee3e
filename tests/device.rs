//! Device images for Cortex-M: built, and run in an emulator.

use crate::bytes::{self, SCRATCH};
use crate::{commands, reference, spec::Spec, tools};
use edge8::Model;
use edge8::operator::USUAL_KINDS;
use fastrand::Rng;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Bytes of images that one device image holds: its flash less its code.
const FLASH: usize = 4_000_000;

/// The processors with kernels of their own, and QEMU's boards with them: Cortex-M4, M7, M33.
pub const BOARDS: [(&str, &[&str]); 2] = [
    ("thumbv7em-none-eabihf", &["mps2-an386", "mps2-an500"]),
    ("thumbv8m.main-none-eabihf", &["mps2-an505"]),
];

/// Builds the device image, with the images of a [`blob`] in the place of the shipped one. It links only if no panic can be
/// reached: its panic handler calls a function that does not exist.
pub fn build(target: &str, folder: &Path, images: Option<&Path>) -> PathBuf {
    let folder = folder.join(if images.is_some() { "images" } else { "shipped" });
    program("self_test", target, &folder, images.map(|images| ("EDGE8_IMAGES", images)))
}

/// Builds the smallest program that runs a model.
pub fn minimal(target: &str, folder: &Path, model: &Path) -> PathBuf {
    program("minimal", target, &folder.join("minimal"), Some(("EDGE8_MODEL", model)))
}

/// Builds the firmware with a model, or with the one that fits the target's board.
pub fn firmware(target: &str, folder: &Path, model: Option<&Path>) -> PathBuf {
    let folder = folder.join(if model.is_some() { "chosen" } else { "shipped" });
    program("device", target, &folder, model.map(|model| ("EDGE8_MODEL", model)))
}

/// Builds a program of firmware-sim/device around a file that a variable names.
fn program(name: &str, target: &str, folder: &Path, file: Option<(&str, &Path)>) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(commands::root()).args(["build", "--quiet", "--release", "-p", "device"]);
    build.args(["--bin", name, "--target", target, "--target-dir"]).arg(folder);
    build.env_remove("EDGE8_IMAGES").env_remove("EDGE8_MODEL").env_remove("EDGE8_BOARD").envs(file);
    let build = build.output().expect("cargo starts");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    folder.join(target).join("release").join(name)
}

/// Runs a device image on a board, with a plugin of the emulator if there is one.
pub fn run(board: &str, image: &Path, plugin: Option<&Path>) -> Output {
    let mut run = Command::new("qemu-system-arm");
    run.args(["-M", board, "-nographic", "-semihosting", "-kernel"]).arg(image);
    if let Some(plugin) = plugin {
        run.arg("-plugin").arg(plugin);
    }
    run.output().expect("qemu starts")
}

/// What the plugin counted of each image of a [`blob`]: the instructions of the parsing, the checksum alone, a run.
pub fn counts(run: &Output) -> Vec<[u64; 3]> {
    numbers(run).as_chunks().0.to_vec()
}

/// All that the plugin counted, in turn.
pub fn numbers(run: &Output) -> Vec<u64> {
    let text = String::from_utf8_lossy(&run.stderr);
    text.lines().filter_map(|line| line.strip_prefix("INSN ")?.parse().ok()).collect()
}

/// Whether the target can be built and its boards emulated.
pub fn available(target: &str) -> bool {
    tools::have_target(target) && tools::have("qemu-system-arm")
}

/// What the self-test reads: model images, each with its number of bytes before it.
pub fn blob(images: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let mut blob = Vec::new();
    for (before, image) in images {
        blob.extend([image.len(), *before, 0, 0].iter().flat_map(|&word| (word as u32).to_le_bytes()));
        blob.resize(blob.len() + before, 0);
        blob.extend(image);
        blob.resize(blob.len().next_multiple_of(16), 0);
    }
    blob
}

/// Operators, each as an image with a test vector.
#[derive(Debug, Default)]
pub struct Proofs {
    specs: Vec<Spec>,
    images: Vec<(usize, Vec<u8>)>,
}

impl Proofs {
    /// Adds an operator with random inputs and what the reference makes of them: in half of the cases with as few scratch bytes
    /// as there may be, and at all alignments.
    pub fn add(&mut self, rng: &mut Rng, spec: Spec) {
        let inputs: Vec<Vec<i8>> = spec.inputs.iter().map(|tensor| tensor.values(rng)).collect();
        let output = reference::run(&spec, &inputs);
        let mut image = bytes::proven(&spec, &inputs, &output, SCRATCH);
        if rng.bool() {
            image = bytes::proven(&spec, &inputs, &output, least_scratch(&image));
        }
        self.images.push((rng.usize(..4), image));
        self.specs.push(spec);
    }

    /// The share of the operators that a program without scalar kernels takes.
    pub fn usual(&self) -> f64 {
        let usual =
            self.images.iter().filter(|(_, image)| Model::parse_as::<USUAL_KINDS>(image).is_ok()).count();
        usual as f64 / self.images.len() as f64
    }

    /// Blobs of as many images as a device holds, each with the operators in it.
    pub fn blobs(&self) -> impl Iterator<Item = (&[Spec], Vec<u8>)> {
        let mut begin = 0;
        std::iter::from_fn(move || {
            let rest = self.images.get(begin..).filter(|rest| !rest.is_empty())?;
            let ends = rest.iter().scan(0, |end, (_, image)| {
                *end += image.len() + 48;
                Some(*end)
            });
            let count = ends.take_while(|&end| end <= FLASH).count();
            let specs = &self.specs[begin..begin + count];
            begin += count;
            Some((specs, blob(&rest[..count])))
        })
    }
}

/// The scratch bytes that an image's operator must have.
fn least_scratch(image: &[u8]) -> usize {
    let model = Model::parse(image).expect("a valid image");
    model.operators().map(|operator| operator.scratch_len()).max().unwrap_or(0)
}
