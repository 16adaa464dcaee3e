//! Gives bare-metal builds their linker script and memory map.
//!
//! With the variable `EDGE8_IMAGES` the program runs the model images of that file (see `src/bin/self_test/images.rs`) in the place of the
//! shipped one, and has all memory of the boards. `EDGE8_MODEL` is the image of `src/bin/minimal.rs`.

use std::path::{Path, PathBuf};

/// All memory of QEMU's MPS2 boards that a program starts in: those with a Cortex-M4 or M7, or with an M33.
const WHOLE: [&str; 2] = [
    "MEMORY\n{\n  FLASH : ORIGIN = 0x00000000, LENGTH = 4M\n  RAM : ORIGIN = 0x20000000, LENGTH = 4M\n}\n",
    "MEMORY\n{\n  FLASH : ORIGIN = 0x10000000, LENGTH = 4M\n  RAM : ORIGIN = 0x38000000, LENGTH = 4M\n}\n",
];

fn main() {
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rerun-if-env-changed=EDGE8_IMAGES");
    println!("cargo::rustc-check-cfg=cfg(images)");
    println!("cargo::rerun-if-env-changed=EDGE8_MODEL");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let shipped = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../../runtime/models/mnist.edge8");
    let model = std::env::var_os("EDGE8_MODEL").map_or(shipped, PathBuf::from);
    println!("cargo::rustc-env=EDGE8_MODEL={}", model.display());
    if variable("CARGO_CFG_TARGET_OS") != "none" {
        return;
    }
    let mut folder = variable("CARGO_MANIFEST_DIR");
    let images = variable("EDGE8_IMAGES");
    if !images.is_empty() {
        folder = variable("OUT_DIR");
        let map = WHOLE[usize::from(variable("TARGET").starts_with("thumbv8m."))];
        std::fs::write(Path::new(&folder).join("memory.x"), map).expect("the build folder is writable");
        println!("cargo::rerun-if-changed={images}");
        println!("cargo::rustc-env=EDGE8_IMAGES={images}");
        println!("cargo::rustc-cfg=images");
    }
    println!("cargo::rustc-link-search={folder}");
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
}
