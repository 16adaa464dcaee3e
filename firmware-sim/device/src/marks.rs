//! What a run costs: instructions that an emulator's plugin counts from, and the stack.

use core::arch::asm;

/// Bytes of stack that are looked at, if there is room for as many.
const PAINTED: usize = 16384;

/// What unused stack holds.
const PAINT: u32 = 0xa5c3_5a3c;

unsafe extern "C" {
    /// Where the stack begins; it grows down.
    static _stack_start: u32;
    /// Where it ends: behind all static memory.
    static _stack_end: u32;
    /// Where static memory begins.
    static _ram_start: u32;
}

/// Counting begins: an instruction that does nothing else (`../shared/tools/insncount.c`).
#[inline(always)]
pub fn begin() {
    // SAFETY: a register is copied to itself.
    unsafe { asm!("mov r12, r12") };
}

/// Counting ends.
#[inline(always)]
pub fn end() {
    // SAFETY: a register is copied to itself.
    unsafe { asm!("mov r11, r11") };
}

/// Bytes of static memory.
pub fn static_ram() -> usize {
    (&raw const _stack_end).addr().wrapping_sub((&raw const _ram_start).addr())
}

/// Bytes of stack that the program takes while it runs `run`, from the stack's begin on; of a program that takes more than
/// [`PAINTED`] only that many are seen.
pub fn whole_stack(run: impl FnOnce()) -> usize {
    let pointer: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) pointer) };
    (&raw const _stack_start).addr().wrapping_sub(pointer).wrapping_add(stack(run))
}

/// Bytes of stack that `run` takes.
#[inline(never)]
pub fn stack(run: impl FnOnce()) -> usize {
    let used: usize;
    let low: usize;
    let room: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) room) };
    let room = room.wrapping_sub((&raw const _stack_end).addr()).min(PAINTED);
    // SAFETY: below the stack pointer nothing lies that is still used, and no interrupt is on.
    unsafe {
        asm!(
            "mov {low}, sp",
            "subs {low}, {low}, {len}",
            "mov {at}, {low}",
            "2:",
            "str {paint}, [{at}]",
            "adds {at}, #4",
            "cmp {at}, sp",
            "bne 2b",
            low = out(reg) low,
            at = out(reg) _,
            len = in(reg) room,
            paint = in(reg) PAINT,
        );
    }
    run();
    // SAFETY: reads what has been painted.
    unsafe {
        asm!(
            "2:",
            "ldr {word}, [{at}]",
            "adds {at}, #4",
            "cmp {word}, {paint}",
            "beq 2b",
            "subs {at}, #4",
            "mov {word}, sp",
            "subs {at}, {word}, {at}",
            at = inout(reg) low => used,
            word = out(reg) _,
            paint = in(reg) PAINT,
        );
    }
    used
}
