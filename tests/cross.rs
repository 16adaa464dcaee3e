//! Programs for other processors: how each is built, and what runs it.

use crate::commands::{self, Run};
use crate::tools;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A target of the compiler.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    triple: &'static str,
    /// [`None`] for the compiler's own choice.
    linker: Option<&'static str>,
    flags: &'static str,
    /// Features of `edge8` for its examples.
    features: &'static str,
}

/// A 64-bit Raspberry Pi; the compiler's own linker needs no other toolchain.
pub const AARCH64: Target =
    Target { triple: "aarch64-unknown-linux-musl", linker: Some("rust-lld"), flags: "", features: "std" };

/// A 32-bit Raspberry Pi, linked with Debian's cross-compiler.
pub const ARMV7: Target = Target {
    triple: "armv7-unknown-linux-gnueabihf",
    linker: Some("arm-linux-gnueabihf-gcc"),
    flags: "-C target-feature=+crt-static",
    features: "std",
};

/// A PC, without the C library of the machine at hand: `memcpy` takes the same instructions everywhere.
pub const X86_64: Target =
    Target { triple: "x86_64-unknown-linux-musl", linker: Some("rust-lld"), flags: "", features: "std" };

/// WebAssembly with an interface to the system.
pub const WASM: Target = Target { triple: "wasm32-wasip1", linker: None, flags: "", features: "std" };

/// The same with 128-bit vectors.
pub const WASM_SIMD128: Target = Target { flags: "-C target-feature=+simd128", ..WASM };

/// Armv8-M with the main extension, without an operating system.
pub const ARMV8_M: Target =
    Target { triple: "thumbv8m.main-none-eabihf", linker: None, flags: "", features: "" };

/// 32-bit RISC-V without an operating system.
pub const RISCV32: Target =
    Target { triple: "riscv32imc-unknown-none-elf", linker: None, flags: "", features: "" };

impl Target {
    /// Whether the compiler and the linker are there; otherwise as [`tools::have`].
    pub fn can_be_built(&self) -> bool {
        let linker = self.linker.filter(|&linker| linker != "rust-lld");
        tools::have_target(self.triple) && linker.is_none_or(tools::have)
    }

    /// The command `runtime`.
    pub fn command(&self) -> PathBuf {
        self.build(&["-p", "runtime", "--bin", "runtime"]).join("runtime")
    }

    /// The same target with other features of the library and flags of the compiler.
    pub fn with(self, features: &'static str, flags: &'static str) -> Self {
        Self { features, flags, ..self }
    }

    /// The library.
    pub fn library(&self) -> PathBuf {
        self.build(&["-p", "edge8", "--features", self.features, "--lib"]).join("libedge8.rlib")
    }

    /// An example of the library.
    pub fn example(&self, name: &str) -> PathBuf {
        let features = self.features;
        let folder = self.build(&["-p", "edge8", "--features", features, "--example", name]);
        folder.join("examples").join(name)
    }

    /// Builds a part of the workspace and gives the folder that it lies in.
    fn build(&self, part: &[&str]) -> PathBuf {
        let variable =
            |field| format!("CARGO_TARGET_{}_{field}", self.triple.to_uppercase().replace(['-', '.'], "_"));
        let folder = commands::scratch();
        let mut build = Command::new(env!("CARGO"));
        build.current_dir(commands::root()).env(variable("RUSTFLAGS"), self.flags);
        if let Some(linker) = self.linker {
            build.env(variable("LINKER"), linker);
        }
        build.args(["build", "--quiet", "--release", "--target", self.triple]).args(part);
        let output = build.arg("--target-dir").arg(&folder).output().expect("cargo starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        folder.join(self.triple).join("release")
    }
}

/// Runs a program in an emulator, a file as its standard input.
pub fn emulate(emulator: &[&str], program: &Path, arguments: &[&str], input: Option<&Path>) -> Run {
    let input = input.map_or_else(Stdio::null, |path| File::open(path).expect("readable").into());
    let mut command = Command::new(emulator[0]);
    command.current_dir(commands::root()).args(&emulator[1..]).arg(program).args(arguments).stdin(input);
    Run::of(command.output().expect("the emulator starts"))
}

/// QEMU's plugin that counts instructions, compiled into a folder; [`None`] where there is no compiler or no shared folder.
pub fn counter(folder: &Path) -> Option<PathBuf> {
    let source = tools::shared("tools/insncount.c").filter(|_| tools::have("gcc"))?;
    let library = folder.join("insncount.so");
    let compiled =
        Command::new("gcc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    assert!(compiled.expect("gcc starts").success(), "the plugin does not compile");
    Some(library)
}
