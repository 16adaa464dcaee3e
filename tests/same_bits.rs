//! The command `runtime` on a Raspberry Pi, its processors emulated: the bits of a PC in every layer and every output.

use std::path::Path;
use tests::cross::{AARCH64, ARMV7, emulate};
use tests::{commands, mnist, tools};

/// Eight test images as int8 input tensors: the image in the middle of the input, black at -128.
fn inputs() -> Vec<u8> {
    let framed = |(pixels, _): &(Vec<u8>, u8)| {
        let mut input = vec![-128i8 as u8; 32 * 32];
        for (y, row) in pixels.chunks_exact(28).enumerate() {
            for (x, pixel) in row.iter().enumerate() {
                input[(y + 2) * 32 + x + 2] = pixel.wrapping_sub(128);
            }
        }
        input
    };
    mnist::test_images().iter().take(8).flat_map(framed).collect()
}

fn arguments(folder: &Path, name: &str) -> Vec<String> {
    let path = |file: &str| folder.join(file).to_str().expect("UTF-8").to_owned();
    let [input, output, layers] = [path("x.bin"), path(&format!("{name}.bin")), path(name)];
    let model = commands::shipped().to_str().expect("UTF-8").to_owned();
    ["infer", &model, "--input", &input, "--output", &output, "--layers", &layers].map(str::to_owned).to_vec()
}

/// The content of every file in a folder, by name.
fn contents(folder: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let entries =
        std::fs::read_dir(folder).expect("the folder of layers").map(|entry| entry.expect("readable"));
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).expect("readable"))).collect();
    files.sort();
    files
}

#[test]
fn a_pi_has_the_bits_of_a_pc() {
    if !AARCH64.can_be_built() || !tools::have("qemu-aarch64") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("x.bin"), inputs()).expect("written");
    let host: Vec<String> = arguments(folder.path(), "host");
    let run = commands::run("runtime", &host.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(run.code, Some(0), "{run:?}");
    let expected = (
        std::fs::read(folder.path().join("host.bin")).expect("written"),
        contents(&folder.path().join("host")),
    );
    assert!(expected.1.len() > 50 && expected.0.len() == 80, "{} layers", expected.1.len());
    let binary = AARCH64.command();
    for cpu in ["cortex-a53", "cortex-a72", "cortex-a76"] {
        let arguments = arguments(folder.path(), cpu);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = emulate(&["qemu-aarch64", "-cpu", cpu], &binary, &arguments, None);
        assert_eq!(run.code, Some(0), "{cpu}: {run:?}");
        let found = (
            std::fs::read(folder.path().join(format!("{cpu}.bin"))).expect("written"),
            contents(&folder.path().join(cpu)),
        );
        assert!(found == expected, "{cpu} differs from the host");
    }
}

#[test]
fn a_32_bit_pi_reads_a_digit() {
    if !ARMV7.can_be_built() || !tools::have("qemu-arm") {
        return;
    }
    let read = ["run", "runtime/assets/5_blue_ink.png"];
    let run = emulate(&["qemu-arm", "-cpu", "cortex-a7"], &ARMV7.command(), &read, None);
    assert_eq!((run.code, run.stdout.lines().next()), (Some(0), Some("5")), "{run:?}");
}
