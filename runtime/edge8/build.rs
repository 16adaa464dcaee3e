//! Tells the library whether it is built for a Cortex-M with the DSP instructions: the compiler keeps that to itself.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(arm_dsp)");
    let target = std::env::var("TARGET").unwrap_or_default();
    // In Armv8-M the instructions are an option that every Cortex-M33 on the market has; the assembler must be told of it.
    let directive = match target.split('-').next() {
        Some("thumbv7em") => "",
        Some("thumbv8m.main") => ".cpu cortex-m33",
        _ => return,
    };
    println!("cargo::rustc-cfg=arm_dsp");
    println!("cargo::rustc-env=EDGE8_DSP={directive}");
}
