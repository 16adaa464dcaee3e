//! Start and report on a Cortex-M.

#[cfg(not(images))]
use crate::check::{self, Memory, Verdict};
#[cfg(images)]
use crate::images::{self, Memory};
use cortex_m_rt::entry;
use cortex_m_semihosting::hio;
use device::bare_metal;

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    bare_metal::end(test(MEMORY))
}

/// Whether the shipped model proves itself.
#[cfg(not(images))]
fn test(memory: &mut Memory) -> bool {
    let verdict = check::run(memory);
    if let Ok(mut out) = hio::hstdout() {
        let _ = out.write_all(verdict.text().as_bytes());
        let _ = out.write_all(b"\n");
    }
    verdict == Verdict::Equal
}

/// Whether all images have the host's bits.
#[cfg(images)]
fn test(memory: &mut Memory) -> bool {
    hio::hstdout().is_ok_and(|mut out| images::run(memory, &mut out))
}
