//! Instructions of one inference, a guard against slower kernels that no noise disturbs: on the processors of a
//! Raspberry Pi 3, 4 and 5 and on a Cortex-M4 under QEMU, and on x86-64 under valgrind.
//!
//! The counts belong to one compiler, that of `rust-toolchain.toml`; to no version of QEMU or valgrind, which run the same
//! instructions. valgrind offers AVX2 at most, and that only where the processor below has it.

mod expected;
mod measure;
mod table;

use measure::Counters;
use tests::golden;

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

#[test]
fn instructions_of_one_inference() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let models = golden::images(&GOLDEN, folder.path());
    let counts = Counters::new(folder.path(), &models).count(&models);
    println!("{}", table::table(&counts));
    if std::env::var_os("EDGE8_UPDATE_COUNTS").is_some() {
        let all = measure::PROCESSORS.len() * (1 + GOLDEN.len());
        assert_eq!(counts.len(), all, "the file is written only where everything can be counted");
        return expected::write(&counts);
    }
    expected::compare(&counts);
}
