//! The smallest program that runs a model: what it takes of a device's flash beside the image is what a run needs.
//!
//! The image is the shipped one, or that of the variable `EDGE8_MODEL`. For some inputs a line with the class is written.

#![cfg_attr(target_os = "none", no_std, no_main)]

edge8::embed_model!(mod network, env!("EDGE8_MODEL"));

/// The values in the middle of otherwise empty inputs.
const INPUTS: [i8; 3] = [i8::MIN, 0, i8::MAX];

/// All memory that the program needs, stack apart.
#[derive(Debug)]
struct Memory {
    arena: network::Arena,
    input: [i8; network::INPUT_LEN],
    output: [i8; network::OUTPUT_LEN],
}

impl Memory {
    const fn new() -> Self {
        let (input, output) = ([0; network::INPUT_LEN], [0; network::OUTPUT_LEN]);
        Self { arena: network::Arena::new(), input, output }
    }
}

/// Tells the class of each input.
fn run(memory: &mut Memory, tell: impl Fn(usize)) -> Result<(), edge8::Error> {
    let model = network::model()?;
    for value in INPUTS {
        memory.input[network::INPUT_LEN / 2] = value;
        model.run(&memory.input, memory.arena.bytes(), &mut memory.output)?;
        tell(edge8::Model::class(&memory.output));
    }
    Ok(())
}

#[cfg(not(target_os = "none"))]
fn main() -> Result<(), edge8::Error> {
    run(&mut Memory::new(), |class| println!("{class:04x}"))
}

#[cfg(target_os = "none")]
mod bare {
    use super::{Memory, run};
    use cortex_m_rt::entry;
    use cortex_m_semihosting::syscall1;
    use device::bare_metal;

    #[entry]
    fn main() -> ! {
        static mut MEMORY: Memory = Memory::new();
        bare_metal::end(run(MEMORY, tell).is_ok())
    }

    fn tell(class: usize) {
        for shift in [12, 8, 4, 0] {
            let digit = (class >> shift) as u8 & 15;
            write(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit });
        }
        write(b'\n');
    }

    fn write(byte: u8) {
        // SAFETY: the debugger reads one byte.
        unsafe { syscall1!(WRITEC, &raw const byte) };
    }
}
