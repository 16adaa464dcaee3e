//! The smallest program for a Cortex-M4 with a model in it: how much code that is, and that it computes what the host does.

use edge8::Model;
use object::{Object, ObjectSection};
use std::fs;
use std::path::Path;
use tests::{device, golden, tools};

const TARGET: &str = "thumbv7em-none-eabihf";

/// The golden models that are built in, beside the shipped one.
const GOLDEN: [&str; 5] = [
    "mnv2_a035_s32_stem1_trained_int8",
    "vww_96_int8",
    "pretrainedResnet_quant",
    "kws_ref_model",
    "ad01_int8",
];

/// Bytes of code that a program may have: all of it but the vector table, with the start and the standard library's copying.
const MOST_CODE: u64 = 24 * 1024;

/// The values in the middle of otherwise empty inputs, as in `firmware-sim/device/src/bin/minimal.rs`.
const INPUTS: [i8; 3] = [i8::MIN, 0, i8::MAX];

/// What the program is to write.
fn classes(image: &[u8]) -> String {
    let model = Model::parse(image).expect("an image");
    let [mut input, mut output] = [model.input(), model.output()].map(|tensor| vec![0; tensor.shape.len()]);
    let mut arena = vec![0; model.arena_len()];
    let mut class = |value| {
        let middle = input.len() / 2;
        input[middle] = value;
        model.run(&input, &mut arena, &mut output).expect("right lengths");
        format!("{:04x}\n", Model::class(&output))
    };
    INPUTS.map(&mut class).concat()
}

/// Bytes of a program's code.
fn code(program: &Path) -> u64 {
    let file = fs::read(program).expect("the program was built");
    let file = object::File::parse(file.as_slice()).expect("an ELF file");
    file.section_by_name(".text").expect("code").size()
}

#[test]
fn a_device_has_the_code_of_its_model_only() {
    if !tools::have_target(TARGET) {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, image) in golden::images(&GOLDEN, folder) {
        let program = device::minimal(TARGET, folder, &image);
        let code = code(&program);
        println!("{name:<33} {code:>6} bytes of code");
        assert!(code <= MOST_CODE, "{name}: {code} bytes of code");
        if device::available(TARGET) {
            let run = device::run("mps2-an386", &program, None);
            let image = fs::read(&image).expect("readable");
            // The debugger's console is the emulator's standard error.
            assert_eq!(String::from_utf8_lossy(&run.stderr), classes(&image), "{name}");
        }
    }
}
