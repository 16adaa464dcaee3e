//! What a run costs: instructions that an emulator's plugin counts from, and the stack.

use core::arch::asm;

/// Bytes of stack that are looked at.
const PAINTED: usize = 16384;

/// What unused stack holds.
const PAINT: u32 = 0xa5c3_5a3c;

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

/// Bytes of stack that `run` takes.
#[inline(never)]
pub fn stack(run: impl FnOnce()) -> usize {
    let used: usize;
    let low: usize;
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
            len = in(reg) PAINTED,
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
