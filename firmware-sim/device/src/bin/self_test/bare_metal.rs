//! Start, report and end on a Cortex-M.

#[cfg(not(images))]
use crate::check::{self, Memory, Verdict};
#[cfg(images)]
use crate::images::{self, Memory};
use core::panic::PanicInfo;
use cortex_m_rt::{ExceptionFrame, entry, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hio;

unsafe extern "C" {
    /// Defined nowhere: an image in which a panic can be reached does not link, and the linker's message has this name.
    fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: never runs, see above.
    unsafe { a_panic_can_be_reached() }
}

/// A fault ends the emulator too: without this it would hang.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    loop {
        debug::exit(EXIT_FAILURE);
    }
}

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    let equal = test(MEMORY);
    loop {
        debug::exit(if equal { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
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
