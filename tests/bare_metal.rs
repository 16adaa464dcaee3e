//! The library on bare metal: no allocator, no panic path and no floating-point routine in a release image for
//! Cortex-M, and the host's bits when it runs.

use object::{Object, ObjectSymbol, SymbolKind};
use std::path::Path;
use tests::cross::ARMV8_M;
use tests::{device, tools};

/// Where device images are built.
fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Names of the functions in an image, demangled, with their sizes in bytes.
fn functions(image: &[u8]) -> Vec<(String, u64)> {
    let file = object::File::parse(image).expect("an ELF file");
    let named = |symbol: object::Symbol<'_, '_>| {
        let name = rustc_demangle::demangle(symbol.name().expect("UTF-8")).to_string();
        (symbol.kind() == SymbolKind::Text).then_some((name, symbol.size()))
    };
    file.symbols().filter_map(named).collect()
}

fn is_panic(name: &str) -> bool {
    name.contains("panic") || name.contains("unwrap_failed") || name.contains("slice_index")
}

fn is_allocator(name: &str) -> bool {
    name.contains("__rust_alloc") || name.contains("alloc::") || name == "malloc"
}

/// The soft-float routines of the Arm run-time ABI and of the compiler's own library.
fn is_float(name: &str) -> bool {
    let aeabi = name.strip_prefix("__aeabi_").is_some_and(|rest| {
        ["f", "d", "cf", "cd", "i2f", "i2d", "ui2f", "ui2d", "l2f", "l2d", "ul2f", "ul2d", "h2f"]
            .iter()
            .any(|prefix| rest.starts_with(prefix))
    });
    let library = name.starts_with("__") && ["sf", "df", "hf", "tf"].iter().any(|kind| name.contains(kind));
    aeabi || library || name.contains("float")
}

#[test]
fn the_patterns_recognise_what_they_look_for() {
    assert!(["core::panicking::panic_fmt", "core::result::unwrap_failed"].iter().all(|name| is_panic(name)));
    assert!(["__rust_alloc", "alloc::vec::Vec<T>::push"].iter().all(|name| is_allocator(name)));
    assert!(["__aeabi_fmul", "__aeabi_i2d", "__muldf3", "__floatsisf"].iter().all(|name| is_float(name)));
    let innocent = ["__aeabi_lmul", "__aeabi_uidivmod", "__aeabi_memcpy4", "edge8::model::Model::parse"];
    assert!(!innocent.iter().any(|name| is_panic(name) || is_allocator(name) || is_float(name)));
}

#[test]
fn no_allocator_no_panic_no_float() {
    for target in ["thumbv6m-none-eabi", "thumbv7em-none-eabihf"] {
        if !tools::have_target(target) {
            continue;
        }
        for program in [device::build(target, folder(), None), device::firmware(target, folder(), None)] {
            check(target, &program);
        }
    }
}

/// Checks the functions of a program, and prints them.
fn check(target: &str, program: &Path) {
    let functions = functions(&std::fs::read(program).expect("the program was built"));
    let name = format!("{}, {target}", program.file_name().expect("a name").display());
    assert!(functions.iter().any(|(name, _)| name.contains("edge8::kernels::")), "no symbols: {name}");
    let unwanted: Vec<_> =
        functions.iter().filter(|(name, _)| is_panic(name) || is_allocator(name) || is_float(name)).collect();
    assert!(unwanted.is_empty(), "{name}: {unwanted:?}");
    let code: u64 = functions.iter().map(|(_, size)| size).sum();
    println!("{name}: {code} bytes of code in {} functions", functions.len());
    for (name, size) in &functions {
        println!("{size:6} {name}");
    }
}

/// The image runs the model's test vectors and compares the hash of every layer with the host's.
#[test]
fn the_same_bits_under_qemu() {
    let boards = [
        ("thumbv6m-none-eabi", "mps2-an386"),
        ("thumbv7em-none-eabihf", "mps2-an386"),
        ("thumbv7em-none-eabihf", "mps2-an500"),
    ];
    for (target, board) in boards {
        if !device::available(target) {
            continue;
        }
        let run = device::run(board, &device::build(target, folder(), None), None);
        assert!(run.status.success(), "{target} on {board}: {}", String::from_utf8_lossy(&run.stdout));
    }
}

/// In Armv8-M the DSP instructions are an option that the target's name does not tell: a program gets them if it asks.
#[test]
fn an_armv8_m_without_the_dsp_extension_gets_no_instruction_of_it() {
    if !ARMV8_M.can_be_built() {
        return;
    }
    for (features, flags, expected) in [
        ("", "", false),
        ("dsp", "", true),
        ("", "-C target-cpu=cortex-m33", true),
        ("", "-C target-cpu=cortex-m23", false),
    ] {
        let library = ARMV8_M.with(features, flags).library();
        let library = std::fs::read(library).expect("it was built");
        // A part of the names of all functions of these kernels, as the compiler writes them.
        let name = b"7kernels3dsp";
        let found = library.windows(name.len()).any(|window| window == name);
        assert_eq!(found, expected, "features {features:?}, flags {flags:?}");
    }
}
