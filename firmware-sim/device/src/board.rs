//! The firmware on a Cortex-M under a debugger or emulator: it reports through semihosting.

use crate::memory::{Frame, Memory};
use crate::picture;
use crate::replay::{self, Machine};
use cortex_m_rt::entry;
use cortex_m_semihosting::hio::{self, HostStream};
use cortex_m_semihosting::syscall;
use device::{bare_metal, marks};
use firmware_sim::Line;

/// The debugger's console and clock.
struct Semihosting {
    out: HostStream,
}

impl Machine for Semihosting {
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
    }

    fn micros(&mut self) -> u32 {
        // SAFETY: the call takes nothing and returns hundredths of a second.
        let hundredths = unsafe { syscall!(CLOCK) };
        (hundredths as u32).wrapping_mul(10_000)
    }

    fn begin(&mut self) {
        marks::begin();
    }

    fn end(&mut self) {
        marks::end();
    }
}

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    static mut FRAME: Frame = Frame::new();
    let Ok(out) = hio::hstdout() else { bare_metal::end(false) };
    let mut machine = Semihosting { out };
    let mut right = false;
    let stack = marks::whole_stack(|| right = replay::run(MEMORY, FRAME, &mut machine));
    let taken = [("stack: ", stack), ("static RAM: ", marks::static_ram())];
    for (name, bytes) in taken {
        machine.write(name);
        machine.write(Line::new().number(bytes).as_str());
        machine.write(" bytes\n");
    }
    picture::write(FRAME, |text| machine.write(text));
    bare_metal::end(right)
}
