//! Counting: `edge8`'s example `one_inference`, run by QEMU with a plugin or by valgrind; on a Cortex-M4 the device image.

use crate::expected::{Counts, Key};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tests::commands::Run;
use tests::cross::{self, AARCH64, X86_64};
use tests::{device, tools};

/// Processors and their kernel sets: the best of each, and on x86-64 the scalar ones too.
pub const PROCESSORS: [[&str; 2]; 6] = [
    ["cortex-a53", "neon"],
    ["cortex-a72", "neon"],
    ["cortex-a76", "neon-dot"],
    [CORTEX_M4, "dsp"],
    ["x86-64", "avx2"],
    ["x86-64", "scalar"],
];

const CORTEX_M4: &str = "cortex-m4";

/// The programs that count, where they can be had.
pub struct Counters {
    aarch64: Option<Plugin>,
    x86_64: Option<PathBuf>,
    /// A device runs all models in one go: what each took there.
    cortex_m4: BTreeMap<PathBuf, u64>,
}

struct Plugin {
    library: PathBuf,
    program: PathBuf,
}

impl Counters {
    /// Builds them; the plugin and what a device runs go into `folder`.
    pub fn new(folder: &Path, models: &[(String, PathBuf)]) -> Self {
        let x86_64 = cfg!(target_arch = "x86_64") && X86_64.can_be_built() && tools::have("valgrind");
        let aarch64 = AARCH64.can_be_built() && tools::have("qemu-aarch64");
        let plugin = aarch64.then(|| cross::counter(folder)).flatten();
        Self {
            aarch64: plugin.map(|library| Plugin { library, program: AARCH64.example(PROGRAM) }),
            x86_64: x86_64.then(|| X86_64.example(PROGRAM)),
            cortex_m4: on_cortex_m4(folder, models).unwrap_or_default(),
        }
    }

    /// Counts every model on every processor that is here.
    pub fn count(&self, models: &[(String, PathBuf)]) -> Counts {
        let mut counts = Counts::new();
        for [processor, kernels] in PROCESSORS {
            for (model, image) in models {
                let image = image.to_str().expect("UTF-8");
                if let Some(count) = self.once(processor, kernels, image) {
                    counts.insert(Key::new(processor, kernels, model), count);
                }
            }
            self.repeat(processor, kernels, models, &counts);
        }
        counts
    }

    /// The first model once more: a count that is not the same every time guards nothing.
    fn repeat(&self, processor: &str, kernels: &str, models: &[(String, PathBuf)], counts: &Counts) {
        let (model, image) = &models[0];
        if let Some(&first) = counts.get(&Key::new(processor, kernels, model)) {
            let again = self.once(processor, kernels, image.to_str().expect("UTF-8"));
            assert_eq!(again, Some(first), "{processor} {kernels} {model}, counted twice");
        }
    }

    /// One run; [`None`] if there is no such processor here.
    fn once(&self, processor: &str, kernels: &str, image: &str) -> Option<u64> {
        if processor == CORTEX_M4 {
            return self.cortex_m4.get(Path::new(image)).copied();
        }
        let (run, word) = if processor == "x86-64" {
            (callgrind(self.x86_64.as_deref()?, &[image, kernels]), "Collected :")
        } else {
            (self.aarch64.as_ref()?.run(processor, &[image, kernels]), "INSN ")
        };
        assert_eq!(run.code, Some(0), "{run:?}");
        let ran = run.stdout.trim();
        let count = run.stderr.split_once(word).and_then(|(_, rest)| rest.split_whitespace().next());
        let count = count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no count: {run:?}"));
        tools::require(&format!("{processor} with {kernels} kernels"), ran == kernels).then_some(count)
    }
}

const PROGRAM: &str = "one_inference";

/// valgrind counts what is executed between the function's begin and its end.
fn callgrind(program: &Path, arguments: &[&str]) -> Run {
    let toggle = format!("--toggle-collect={PROGRAM}");
    let valgrind = ["valgrind", "--tool=callgrind", &toggle, "--callgrind-out-file=/dev/null"];
    cross::emulate(&valgrind, program, arguments, None)
}

/// Instructions that each model takes on a Cortex-M4, of the input of its test vector.
fn on_cortex_m4(folder: &Path, models: &[(String, PathBuf)]) -> Option<BTreeMap<PathBuf, u64>> {
    let plugin = device::available(device::BOARDS[0].0).then(|| cross::counter(folder)).flatten()?;
    // The flash is too small for all of them.
    Some(models.chunks(models.len().div_ceil(2)).flat_map(|some| on_board(&plugin, some)).collect())
}

fn on_board(plugin: &Path, models: &[(String, PathBuf)]) -> Vec<(PathBuf, u64)> {
    let (target, boards) = device::BOARDS[0];
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let images: Vec<_> = models.iter().map(|(_, path)| (0, fs::read(path).expect("readable"))).collect();
    let blob = folder.join("models.bin");
    fs::write(&blob, device::blob(&images)).expect("written");
    let run = device::run(boards[0], &device::build(target, folder, Some(&blob)), Some(plugin));
    let counts = device::counts(&run);
    assert!(run.status.success() && counts.len() == models.len(), "{run:?}");
    models.iter().zip(counts).map(|((_, path), [.., run])| (path.clone(), run)).collect()
}

impl Plugin {
    /// The plugin counts what is executed between the program's two markers.
    fn run(&self, processor: &str, arguments: &[&str]) -> Run {
        let library = self.library.to_str().expect("UTF-8");
        cross::emulate(
            &["qemu-aarch64", "-cpu", processor, "-plugin", library],
            &self.program,
            arguments,
            None,
        )
    }
}
