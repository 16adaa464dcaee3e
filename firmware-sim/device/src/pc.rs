//! The firmware as an ordinary program.

use crate::memory::{Frame, Memory};
use crate::picture;
use crate::replay::{self, Machine};
use std::process::ExitCode;
use std::time::Instant;

/// Standard output and the machine's clock; nothing counts instructions.
struct Pc {
    begin: Instant,
}

impl Machine for Pc {
    fn write(&mut self, text: &str) {
        print!("{text}");
    }

    fn micros(&mut self) -> u32 {
        self.begin.elapsed().as_micros() as u32
    }

    fn begin(&mut self) {}

    fn end(&mut self) {}
}

pub fn main() -> ExitCode {
    let mut memory = Memory::new();
    let mut frame = Frame::new();
    let mut machine = Pc { begin: Instant::now() };
    let right = replay::run(&mut memory, &mut frame, &mut machine);
    picture::write(&frame, |text| machine.write(text));
    if right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
