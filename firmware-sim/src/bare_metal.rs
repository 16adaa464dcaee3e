//! Start, report and end on a Cortex-M.

use crate::self_test::{self, Memory, Verdict};
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
    let verdict = self_test::run(MEMORY);
    if let Ok(mut out) = hio::hstdout() {
        let _ = out.write_all(verdict.text().as_bytes());
        let _ = out.write_all(b"\n");
    }
    loop {
        debug::exit(if verdict == Verdict::Equal { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
}
