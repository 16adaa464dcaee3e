//! The ends of a program: its verdict, a fault, a panic. All end the emulator.

use core::panic::PanicInfo;
use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};

/// Ends the program; the emulator's exit code says whether all was right.
pub fn end(right: bool) -> ! {
    loop {
        debug::exit(if right { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
}

/// Without this the emulator would hang.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    end(false)
}

#[cfg(not(debug_assertions))]
unsafe extern "C" {
    /// Defined nowhere: a release image in which a panic can be reached does not link, and the linker's message has this name.
    fn a_panic_can_be_reached() -> !;
}

#[cfg(not(debug_assertions))]
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: never runs, see above.
    unsafe { a_panic_can_be_reached() }
}

/// Debug images check more, and tell where a check failed.
#[cfg(debug_assertions)]
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    cortex_m_semihosting::hprintln!("{}", info);
    end(false)
}
