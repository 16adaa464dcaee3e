//! The firmware: the device app on a board with a monochrome display, and scripts of strokes in the place of a person.
//!
//! It writes what each script was read as, and what the display shows at the end. On a PC it is an ordinary program.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
mod memory;
#[cfg(not(target_os = "none"))]
mod pc;
mod picture;
mod replay;
mod scripts;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    pc::main()
}
