//! Patches widened to 16 bits for [`multiply`](super::multiply).
//!
//! Of each group of 4 values two words are made, one of the first and the third value, one of the second and the fourth: what
//! `sxtb16` does in one instruction. Patches that are multiplied together take turns: the first words of a group of each, then
//! the second words.

use crate::packing::GROUP;
use core::arch::naked_asm;

/// Widens patches that lie one behind the other, `len` bytes each: four, two or one of them.
///
/// # Safety
/// The patches have one group at least, and `to`, aligned to 4, has room for twice as much.
pub(super) unsafe fn widen(patches: usize, from: *const i8, len: usize, to: *mut u32) {
    let groups = len / GROUP;
    // SAFETY: see above.
    unsafe {
        match patches {
            4 => four(from, len, groups, to),
            2 => two(from, len, groups, to),
            _ => single::<1>(from, groups, to),
        }
    }
}

/// Widens one patch of four, two or one that take turns, or a part of it: `to` is where its own first word belongs.
///
/// # Safety
/// There are `groups` groups, one at least, and room for them.
pub(super) unsafe fn widen_one(patches: usize, from: *const i8, groups: usize, to: *mut u32) {
    // SAFETY: see above.
    unsafe {
        match patches {
            4 => single::<4>(from, groups, to),
            2 => single::<2>(from, groups, to),
            _ => single::<1>(from, groups, to),
        }
    }
}

/// Four patches.
///
/// # Safety
/// As of [`widen`].
#[unsafe(naked)]
unsafe extern "C" fn four(from: *const i8, len: usize, groups: usize, to: *mut u32) {
    naked_asm!(
        env!("EDGE8_DSP"),
        "push {{r4-r11, lr}}",
        "mov r12, r3",
        "mov lr, r2",
        "mov r4, r1",
        "add r1, r0, r4",
        "add r2, r1, r4",
        "add r3, r2, r4",
        "2:",
        "ldr r8, [r0], #4",
        "ldr r9, [r1], #4",
        "ldr r10, [r2], #4",
        "ldr r11, [r3], #4",
        "sxtb16 r4, r8",
        "sxtb16 r5, r9",
        "sxtb16 r6, r10",
        "sxtb16 r7, r11",
        "sxtb16 r8, r8, ror #8",
        "sxtb16 r9, r9, ror #8",
        "sxtb16 r10, r10, ror #8",
        "sxtb16 r11, r11, ror #8",
        "stm r12!, {{r4-r11}}",
        "subs lr, lr, #1",
        "bne 2b",
        "pop {{r4-r11, pc}}",
    )
}

/// Two patches.
///
/// # Safety
/// As of [`widen`].
#[unsafe(naked)]
unsafe extern "C" fn two(from: *const i8, len: usize, groups: usize, to: *mut u32) {
    naked_asm!(
        env!("EDGE8_DSP"),
        "push {{r4-r7, lr}}",
        "add r1, r0, r1",
        "2:",
        "ldr r6, [r0], #4",
        "ldr r7, [r1], #4",
        "sxtb16 r4, r6",
        "sxtb16 r5, r7",
        "sxtb16 r6, r6, ror #8",
        "sxtb16 r7, r7, ror #8",
        "stm r3!, {{r4-r7}}",
        "subs r2, r2, #1",
        "bne 2b",
        "pop {{r4-r7, pc}}",
    )
}

/// A group of a patch, from r0 to r2.
macro_rules! widen_group {
    () => {
        "ldr r3, [r0], #4
         sxtb16 r12, r3
         sxtb16 r3, r3, ror #8
         str r3, [r2, #4 * {patches}]
         str r12, [r2], #8 * {patches}"
    };
}

/// See [`widen_one`].
///
/// # Safety
/// As of that.
#[unsafe(naked)]
unsafe extern "C" fn single<const PATCHES: usize>(from: *const i8, groups: usize, to: *mut u32) {
    naked_asm!(
        env!("EDGE8_DSP"),
        // An odd one first, then two at a time.
        "lsrs r1, r1, #1",
        "bcc 2f",
        widen_group!(),
        "beq 3f",
        "2:",
        widen_group!(),
        widen_group!(),
        "subs r1, r1, #1",
        "bne 2b",
        "3:",
        "bx lr",
        patches = const PATCHES,
    )
}
