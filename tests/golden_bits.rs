//! The golden models and the shipped one have the same bits on every processor that can be emulated, with every kernel
//! set: each layer, streamed by one row and by several, and layer by layer. The program that compares is `edge8`'s example `self_test`.

use edge8::KernelSet;
use edge8::format::{ALIGNMENT, section};
use edge8::{Computed, Model, Threads};
use quantizer::image::{self, Extras};
use quantizer::plan::NetworkPlan;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;
use tests::cross::{self, AARCH64, ARMV7, RISCV32, Target, WASM, WASM_SIMD128};
use tests::golden::{self, Golden};
use tests::scoped::Scoped;
use tests::{commands, tools};

/// Inputs of each model.
const INPUTS: usize = 2;

/// Model images with test vectors, as files.
struct Images {
    right: Vec<PathBuf>,
    /// One whose last hash is not its last layer's.
    wrong: PathBuf,
    _folder: TempDir,
}

/// The images, made once for all tests.
fn images() -> &'static Images {
    static IMAGES: OnceLock<Images> = OnceLock::new();
    IMAGES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let save = |name: String, image: Vec<u8>| {
            let path = folder.path().join(name);
            std::fs::write(&path, image).expect("written");
            path
        };
        let shipped = commands::shipped();
        let wrong = save("wrong.edge8".into(), with_a_wrong_hash(&shipped));
        let mut right = vec![shipped];
        for model in tools::shared("golden").iter().flat_map(|shared| golden::all(shared)) {
            right.push(save(format!("{}-streamed.edge8", model.name), streamed(&model)));
            for (name, plan) in other_plans(&model) {
                right.push(save(format!("{}-{name}.edge8", model.name), planned(&model, &plan)));
            }
        }
        Images { right, wrong, _folder: folder }
    })
}

fn with_a_wrong_hash(path: &Path) -> Vec<u8> {
    let image = std::fs::read(path).expect("part of the repository");
    let model = Model::parse(&image).expect("a valid image");
    let mut vectors = model.section(section::TEST_VECTORS).expect("the image has some").to_vec();
    *vectors.last_mut().expect("not empty") ^= 1;
    let network = image::read(&model).expect("a quantizer's image");
    image::write_sections(&network, &[(section::TEST_VECTORS, vectors)]).expect("an image")
}

/// The image that a user gets, with hashes of what this machine computes.
fn streamed(model: &Golden) -> Vec<u8> {
    let len = model.network.tensors[0].shape.volume();
    let test_inputs = model.inputs.chunks_exact(len).take(INPUTS).map(<[i8]>::to_vec).collect();
    image::write(&model.network, &Extras { test_inputs, ..Extras::default() }).expect("an image")
}

/// Other orders of the same layers: each by itself, and some rows of each in turn.
fn other_plans(model: &Golden) -> [(&'static str, NetworkPlan); 2] {
    let whole = NetworkPlan::layer_by_layer(&model.network, ALIGNMENT);
    let least = NetworkPlan::streamed(&model.network, ALIGNMENT);
    let between = NetworkPlan::within(&model.network, ALIGNMENT, (least.arena + whole.arena) / 2);
    [("whole", whole), ("strips", between)]
}

/// An image in another order, whose hashes must be those of the streamed one.
fn planned(model: &Golden, plan: &NetworkPlan) -> Vec<u8> {
    let streamed = streamed(model);
    let vectors = Model::parse(&streamed).and_then(|model| model.section(section::TEST_VECTORS));
    let vectors = (section::TEST_VECTORS, vectors.expect("just written").to_vec());
    image::write_planned(&model.network, plan, &[vectors]).expect("an image")
}

/// The kernel sets of this machine, the scalar one among them: what made the hashes does not matter.
#[test]
fn on_this_machine() {
    for path in &images().right {
        let image = std::fs::read(path).expect("readable");
        let model = Model::parse(&image).expect("a valid image");
        let (mut arena, mut output) = (vec![0; model.arena_len()], vec![0; model.output().shape.len()]);
        let mut vectors = 0;
        for vector in model.test_vectors().expect("the image has some") {
            for kernels in KernelSet::available() {
                let model = model.with_kernels(kernels);
                let difference = model.first_difference(&vector, &mut arena, &mut output);
                assert_eq!(difference, Ok(None), "{}, {} kernels", path.display(), kernels.name());
            }
            vectors += 1;
        }
        assert!(vectors >= INPUTS, "{}", path.display());
    }
}

/// On several threads, which share the rows of the larger steps.
#[test]
fn on_several_threads() {
    let mut joins = 0;
    for path in &images().right {
        let image = std::fs::read(path).expect("readable");
        let model = Model::parse(&image).expect("a valid image");
        for vector in model.test_vectors().expect("the image has some") {
            let hashes: Vec<_> = (0..model.operators().len()).map(|layer| vector.layer(layer)).collect();
            for threads in [2, 3, 8].map(Scoped::new) {
                let found = hashes_on(&threads, &model, vector.input);
                assert_eq!(found, hashes, "{}, {threads:?}", path.display());
                joins += threads.joins();
            }
        }
    }
    assert!(joins > 100, "{joins} shared steps show too little");
}

/// The hash of every layer's output.
fn hashes_on(threads: &Scoped, model: &Model<'_>, input: &[i8]) -> Vec<Option<u32>> {
    let mut hashes = vec![crc32fast::Hasher::new(); model.operators().len()];
    let mut arena = vec![0x55; model.arena_len_for(threads.count())];
    let mut output = vec![0; model.output().shape.len()];
    let observe = |computed: Computed<'_, '_>| {
        hashes[computed.index].update(&computed.values.iter().map(|&value| value as u8).collect::<Vec<u8>>());
    };
    model.run_on(threads, input, &mut arena, &mut output, observe).expect("lengths are the model's own");
    hashes.into_iter().map(|hash| Some(hash.finalize())).collect()
}

/// Every image on an emulated processor, which must run these kernel sets.
fn compare(emulator: &[&str], program: &Path, kernels: &[&str]) {
    let Images { right, wrong, .. } = images();
    let run = cross::emulate(emulator, program, &[], Some(wrong));
    assert_eq!(run.code, Some(1), "{emulator:?} sees no difference: {run:?}");
    for image in right {
        let run = cross::emulate(emulator, program, &[], Some(image));
        assert_eq!(run.code, Some(0), "{emulator:?}: {}: {run:?}", image.display());
        assert!(run.stdout.lines().eq(kernels.iter().copied()), "{emulator:?}: {run:?}");
    }
}

/// The program for a target, if that can be built and run here.
fn program(target: &Target, emulator: &str) -> Option<PathBuf> {
    (target.can_be_built() && tools::have(emulator)).then(|| target.example("self_test"))
}

#[test]
fn on_a_64_bit_pi() {
    let Some(program) = program(&AARCH64, "qemu-aarch64") else { return };
    compare(&["qemu-aarch64", "-cpu", "cortex-a53"], &program, &["neon", "scalar"]);
    compare(&["qemu-aarch64", "-cpu", "cortex-a72"], &program, &["neon", "scalar"]);
    compare(&["qemu-aarch64", "-cpu", "cortex-a76"], &program, &["neon-dot", "neon", "scalar"]);
}

#[test]
fn on_a_32_bit_pi() {
    let Some(program) = program(&ARMV7, "qemu-arm") else { return };
    compare(&["qemu-arm", "-cpu", "cortex-a7"], &program, &["scalar"]);
}

#[test]
fn on_32_bit_risc_v() {
    let Some(program) = program(&RISCV32, "qemu-riscv32") else { return };
    compare(&["qemu-riscv32"], &program, &["scalar"]);
}

/// One build after the other: both lie in the same place.
#[test]
fn on_web_assembly() {
    let loader = commands::root().join("tests/wasi.mjs");
    let node =
        ["node", "--no-warnings", "--experimental-wasi-unstable-preview1", loader.to_str().expect("UTF-8")];
    for (target, kernels) in [(&WASM, &["scalar"][..]), (&WASM_SIMD128, &["simd128", "scalar"])] {
        let Some(program) = program(target, "node") else { return };
        compare(&node, &program.with_extension("wasm"), kernels);
    }
}
