//! Elementwise sum.

use super::clamp;
use crate::operator::{Add, Addend};
use core::arch::naked_asm;

/// Largest right shift with which the rounding constant and a zero point fit into 32 bits.
const MOST: i32 = 23;

/// Values that the loop can count.
const COUNTED: usize = 1 << 16;

/// An input brought to the common scale.
///
/// `floor(c * 2^20 * mantissa / 2^n + 1/2)` with `n = 31 - shift` is the high half of `c * 2^23 * mantissa`, shifted right by
/// `k = 2 - shift >= 2` and rounded.
struct Align {
    /// Times 2^23.
    zero_point: i32,
    mantissa: i32,
    half: i32,
    shift: u32,
}

impl Align {
    /// [`None`] if the rounding constant is too large.
    fn new(addend: &Addend) -> Option<Self> {
        let shift = 2u32.wrapping_sub(i32::from(addend.multiplier.shift) as u32);
        (2..=30).contains(&shift).then(|| Self {
            zero_point: i32::from(addend.tensor.zero_point) << 23,
            mantissa: addend.multiplier.mantissa,
            half: 1 << (shift - 1),
            shift,
        })
    }
}

/// What the loop reads: [`Align`] of both inputs, and of the output what `multiply` has of each channel.
#[repr(C)]
struct Sum {
    first_half: i32,
    first_zero_point: i32,
    first_mantissa: i32,
    first_shift: u32,
    second_zero_point: i32,
    second_mantissa: i32,
    second_half: i32,
    second_shift: u32,
    mantissa: i32,
    offset: i32,
}

/// See [`Kernels::add`](crate::kernels::Kernels::add), of inputs that are as long; false, and nothing done, where a shift is
/// beyond the fast form.
pub(super) fn add(op: &Add, second: &[i8], values: &mut [i8]) -> bool {
    let shift = -1 - i32::from(op.multiplier.shift);
    let (Some(a), Some(b)) = (Align::new(&op.first), Align::new(&op.second)) else { return false };
    if second.len() != values.len() || !(1..=MOST).contains(&shift) {
        return false;
    }
    let sum = Sum {
        first_half: a.half,
        first_zero_point: a.zero_point,
        first_mantissa: a.mantissa,
        first_shift: a.shift,
        second_zero_point: b.zero_point,
        second_mantissa: b.mantissa,
        second_half: b.half,
        second_shift: b.shift,
        mantissa: op.multiplier.mantissa,
        offset: (2 * i32::from(op.output.zero_point) + 1) << (shift - 1),
    };
    for (values, second) in values.chunks_mut(COUNTED).zip(second.chunks(COUNTED)) {
        // SAFETY: both have as many values, one at least.
        unsafe {
            add_values(&sum, values.as_mut_ptr(), second.as_ptr(), (values.len() - 1) << 8 | shift as usize)
        };
    }
    clamp::clamp(op.activation, values);
    true
}

/// Adds as many values as `left` says: their number but one times 256, plus the last right shift.
///
/// # Safety
/// Both inputs have them.
#[unsafe(naked)]
unsafe extern "C" fn add_values(sum: *const Sum, values: *mut i8, second: *const i8, left: usize) {
    naked_asm!(
        env!("EDGE8_DSP"),
        "push {{r4-r11, lr}}",
        "mov lr, r3",
        "mov r11, r1",
        "mov r12, r2",
        "ldr r1, [r0], #4",
        "push {{r1}}",
        "ldm r0, {{r2-r10}}",
        "mov r0, r11",
        "mov r1, r12",
        "2:",
        "ldrsb r12, [r0]",
        "ldr r11, [sp]",
        "rsb r12, r2, r12, lsl #23",
        "smmla r12, r12, r3, r11",
        "asr r12, r12, r4",
        "ldrsb r11, [r1], #1",
        "rsb r11, r5, r11, lsl #23",
        "smmla r11, r11, r6, r7",
        "asr r11, r11, r8",
        "add r12, r12, r11",
        "smmla r12, r12, r9, r10",
        "asr r12, r12, lr",
        "ssat r12, #8, r12",
        "strb r12, [r0], #1",
        "subs lr, lr, #256",
        "bcs 2b",
        "add sp, sp, #4",
        "pop {{r4-r11, pc}}",
    )
}
