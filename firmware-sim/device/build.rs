//! Gives bare-metal builds their linker script and memory map.
//!
//! The firmware's map is that of its board: the folder of `boards` that the variable `EDGE8_BOARD` names, or the target's board in
//! QEMU. Its model is the shipped one that fits the target's board, or the image that `EDGE8_MODEL` names, and so is that of
//! `src/bin/minimal.rs`.
//! With the variable `EDGE8_IMAGES` the self-test runs the model images of that file (see `src/bin/self_test/images.rs`) in the
//! place of the shipped one, and has all memory of the boards.

use std::path::{Path, PathBuf};

/// All memory of QEMU's MPS2 boards that a program starts in: those with a Cortex-M4 or M7, or with an M33.
const WHOLE: [&str; 2] = [
    "MEMORY\n{\n  FLASH : ORIGIN = 0x00000000, LENGTH = 4M\n  RAM : ORIGIN = 0x20000000, LENGTH = 4M\n}\n",
    "MEMORY\n{\n  FLASH : ORIGIN = 0x10000000, LENGTH = 4M\n  RAM : ORIGIN = 0x38000000, LENGTH = 4M\n}\n",
];

/// The board for a target, and its model.
fn board(target: &str) -> [&'static str; 2] {
    match target.split_once('-').map_or(target, |(processor, _)| processor) {
        "thumbv6m" => ["microbit", "mnist_small"],
        "thumbv8m.main" => ["mps3", "mnist"],
        _ => ["mps2", "mnist"],
    }
}

/// The other programs, which run models that the firmware has no memory for.
const PROOFS: [&str; 2] = ["self_test", "minimal"];

fn main() {
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rerun-if-changed=boards");
    println!("cargo::rerun-if-env-changed=EDGE8_BOARD");
    println!("cargo::rerun-if-env-changed=EDGE8_IMAGES");
    println!("cargo::rustc-check-cfg=cfg(images)");
    println!("cargo::rerun-if-env-changed=EDGE8_MODEL");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let package = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let [board, shipped] = board(&variable("TARGET"));
    let shipped = package.join("../../runtime/models").join(shipped).with_extension("edge8");
    let model = std::env::var_os("EDGE8_MODEL").map_or(shipped, PathBuf::from);
    let model = std::path::absolute(model).expect("the build's folder is known");
    println!("cargo::rustc-env=EDGE8_MODEL={}", model.display());
    if variable("CARGO_CFG_TARGET_OS") != "none" {
        return;
    }
    let board = std::env::var("EDGE8_BOARD").unwrap_or(board.into());
    let board = package.join("boards").join(board);
    assert!(
        board.is_dir(),
        "no board {}: expected EDGE8_BOARD to name a folder of `boards`",
        board.display()
    );
    map("device", &board);
    let images = variable("EDGE8_IMAGES");
    let mut folder = package;
    if !images.is_empty() {
        folder = PathBuf::from(variable("OUT_DIR"));
        let map = WHOLE[usize::from(variable("TARGET").starts_with("thumbv8m."))];
        std::fs::write(folder.join("memory.x"), map).expect("the build folder is writable");
        println!("cargo::rerun-if-changed={images}");
        println!("cargo::rustc-env=EDGE8_IMAGES={images}");
        println!("cargo::rustc-cfg=images");
    }
    PROOFS.iter().for_each(|program| map(program, &folder));
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
}

/// Gives a program the memory map of a folder.
fn map(program: &str, folder: &Path) {
    println!("cargo::rustc-link-arg-bin={program}=-L{}", folder.display());
}
