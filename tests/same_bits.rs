//! The same bits on a PC and on a Raspberry Pi: every layer and every output, the Pi's processors emulated.

use std::path::{Path, PathBuf};
use std::process::Command;
use tests::{commands, mnist, tools};

const TARGET: &str = "aarch64-unknown-linux-musl";

/// The static Pi binary; Rust's own linker needs no other toolchain.
fn build() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let build = Command::new(env!("CARGO"))
        .current_dir(commands::root())
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        .args(["build", "--quiet", "--release", "-p", "runtime", "--target", TARGET, "--target-dir"])
        .arg(&folder)
        .output()
        .expect("cargo starts");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    folder.join(TARGET).join("release/runtime")
}

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
    let model = commands::root().join("runtime/models/mnist.edge8").to_str().expect("UTF-8").to_owned();
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
    if !tools::have_target(TARGET) || !tools::have("qemu-aarch64") {
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
    let binary = build();
    for cpu in ["cortex-a53", "cortex-a72", "cortex-a76"] {
        let run = Command::new("qemu-aarch64")
            .args(["-cpu", cpu])
            .arg(&binary)
            .args(arguments(folder.path(), cpu))
            .output();
        let run = run.expect("qemu starts");
        assert!(run.status.success(), "{cpu}: {}", String::from_utf8_lossy(&run.stderr));
        let found = (
            std::fs::read(folder.path().join(format!("{cpu}.bin"))).expect("written"),
            contents(&folder.path().join(cpu)),
        );
        assert!(found == expected, "{cpu} differs from the host");
    }
}
