//! The device image: it parses the model that lies in its flash, runs the model's own test vectors and compares every
//! layer with the host that made them.
//!
//! Built with `EDGE8_IMAGES` (see `build.rs`) it runs other images than the shipped one, and shows what they cost.
//!
//! On bare metal it reports through semihosting and ends QEMU with its verdict. A release image for Cortex-M links
//! only if no panic can be reached (see `device::bare_metal`). On a PC the same check runs as an ordinary program.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod bare_metal;
#[cfg(not(images))]
mod camera;
#[cfg(not(images))]
mod check;
#[cfg(images)]
mod images;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    let verdict = check::run(&mut check::Memory::new());
    println!("{}", verdict.text());
    if verdict == check::Verdict::Equal {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    }
}
