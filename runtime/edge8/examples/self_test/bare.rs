//! Start, input and end on 32-bit RISC-V with nothing but Linux's system calls, as `qemu-riscv32` serves them.

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;
use edge8::Model;

const READ: usize = 63;
const WRITE: usize = 64;
const EXIT: usize = 93;

/// The exit codes: equal, a layer differs, and what is no difference but a fault.
const EQUAL: usize = 0;
const DIFFERENT: usize = 1;
const FAULT: usize = 2;

static mut IMAGE: [u8; 1 << 22] = [0; 1 << 22];
static mut ARENA: [u8; 1 << 19] = [0; 1 << 19];
static mut OUTPUT: [i8; 1 << 12] = [0; 1 << 12];

// The stack that Linux gives is aligned already.
global_asm!(".globl _start", "_start:", "call {main}", main = sym main);

extern "C" fn main() -> ! {
    exit(run().unwrap_or(FAULT))
}

fn run() -> Option<usize> {
    // SAFETY: this function runs once, and nothing else names these.
    let (image, arena, output) =
        unsafe { ((&raw mut IMAGE).as_mut()?, (&raw mut ARENA).as_mut()?, (&raw mut OUTPUT).as_mut()?) };
    let len = read_all(image);
    let model = Model::parse(image.get(..len)?).ok()?;
    let output = output.get_mut(..model.output().shape.len())?;
    if crate::difference(&model, arena, output).ok()?.is_some() {
        return Some(DIFFERENT);
    }
    system_call(WRITE, [1, c"scalar\n".as_ptr() as usize, 7]);
    Some(EQUAL)
}

/// Reads standard input until it ends or the buffer is full; how many bytes there were.
fn read_all(buffer: &mut [u8]) -> usize {
    let mut len = 0;
    while let Some(rest) = buffer.get_mut(len..) {
        let count = system_call(READ, [0, rest.as_mut_ptr() as usize, rest.len()]);
        if count <= 0 {
            break;
        }
        len += count as usize;
    }
    len
}

fn exit(code: usize) -> ! {
    loop {
        system_call(EXIT, [code, 0, 0]);
    }
}

fn system_call(number: usize, arguments: [usize; 3]) -> isize {
    let [first, second, third] = arguments;
    let result;
    // SAFETY: the calls used here write only into the buffer that is handed to them.
    unsafe {
        asm!("ecall", in("a7") number, inlateout("a0") first => result, in("a1") second, in("a2") third);
    }
    result
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(FAULT)
}
