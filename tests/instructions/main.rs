//! Instructions of one inference, a guard against slower kernels that no noise disturbs: on the processors of a
//! Raspberry Pi 3, 4 and 5 under QEMU, and on x86-64 under valgrind.
//!
//! The counts belong to one compiler, that of `rust-toolchain.toml`; to no version of QEMU or valgrind, which run the same
//! instructions. valgrind offers AVX2 at most, and that only where the processor below has it.

mod expected;
mod measure;
mod table;

use measure::Counters;
use quantizer::image::{self, Extras};
use std::path::{Path, PathBuf};
use tests::{commands, golden, tools};

/// The golden models that are counted, beside the shipped one.
const GOLDEN: [&str; 8] = [
    "mnv2_a035_s32_int8",
    "mnv2_a035_s32_stem1_trained_int8",
    "mnv2_a050_s32_stem1_int8",
    "mnv2_a035_s96_int8",
    "vww_96_int8",
    "pretrainedResnet_quant",
    "kws_ref_model",
    "ad01_int8",
];

/// Name and image of every model; imported ones lie in `folder`.
fn models(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut models = vec![("mnist".into(), commands::root().join("runtime/models/mnist.edge8"))];
    let imported = tools::shared("golden").map(|shared| golden::all(&shared)).unwrap_or_default();
    for model in imported.into_iter().filter(|model| GOLDEN.contains(&model.name.as_str())) {
        let path = folder.join(&model.name).with_extension("edge8");
        let image = image::write(&model.network, &Extras::default()).expect("an image");
        std::fs::write(&path, image).expect("written");
        models.push((model.name, path));
    }
    models
}

#[test]
fn instructions_of_one_inference() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (models, counters) = (models(folder.path()), Counters::new(folder.path()));
    let counts = counters.count(&models);
    println!("{}", table::table(&counts));
    if std::env::var_os("EDGE8_UPDATE_COUNTS").is_some() {
        let all = measure::PROCESSORS.len() * (1 + GOLDEN.len());
        assert_eq!(counts.len(), all, "the file is written only where everything can be counted");
        return expected::write(&counts);
    }
    expected::compare(&counts);
}
