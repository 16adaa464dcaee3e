//! Gives bare-metal builds their linker script and memory map.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=memory.x");
    let bare_metal = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none");
    if bare_metal {
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo:rustc-link-search={}", Path::new(&folder).display());
        println!("cargo:rustc-link-arg-bins=-Tlink.x");
    }
}
