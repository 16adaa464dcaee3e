//! Tells the library what it is built for: `device`, a target without an operating system or one that asks for it, and
//! `arm_dsp`, a Cortex-M with the DSP instructions, which the compiler keeps to itself.

use std::env;

/// Armv8-M processors that have the DSP instructions, for `-C target-cpu`. In others, and where no processor is named, they are an
/// option that a target does not tell.
const WITH_DSP: [&str; 5] = ["cortex-m33", "cortex-m35p", "cortex-m55", "cortex-m85", "star-mc1"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(arm_dsp, device)");
    if variable("CARGO_FEATURE_DEVICE").is_some()
        || variable("CARGO_CFG_TARGET_OS").as_deref() == Some("none")
    {
        println!("cargo::rustc-cfg=device");
    }
    let target = variable("TARGET").unwrap_or_default();
    // The assembler must be told of what is an option in Armv8-M.
    let directive = match target.split('-').next() {
        Some("thumbv7em") => "",
        Some("thumbv8m.main") if has_dsp() => ".cpu cortex-m33",
        _ => return,
    };
    println!("cargo::rustc-cfg=arm_dsp");
    println!("cargo::rustc-env=EDGE8_DSP={directive}");
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Whether the feature, the compiler or its flags say that an Armv8-M processor has the DSP instructions.
fn has_dsp() -> bool {
    let features = variable("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let flags = variable("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let named = |flag: &str| {
        let feature = flag.contains("target-feature=") && flag.contains("+dsp");
        feature || WITH_DSP.iter().any(|cpu| flag.ends_with(&format!("target-cpu={cpu}")))
    };
    variable("CARGO_FEATURE_DSP").is_some()
        || features.split(',').any(|feature| feature == "dsp")
        || flags.split('\u{1f}').any(named)
}
