//! Single instructions, for loops that the compiler writes.

use core::arch::asm;

/// An instruction of registers, of the DSP extension.
macro_rules! instruction {
    ($(#[$doc:meta])* $name:ident($($operand:ident: $type:ty),+) -> $result:ty, $text:literal) => {
        $(#[$doc])*
        #[inline(always)]
        pub(super) fn $name($($operand: $type),+) -> $result {
            let result;
            // SAFETY: reads and writes these registers and the flags only.
            unsafe {
                asm!(
                    env!("EDGE8_DSP"),
                    $text,
                    $($operand = in(reg) $operand,)+
                    result = lateout(reg) result,
                    options(pure, nomem, nostack),
                );
            }
            result
        }
    };
}

instruction! {
    /// The first and third byte of `b` added to the halves of `a`.
    add_even(a: u32, b: u32) -> u32, "sxtab16 {result}, {a}, {b}"
}
instruction! {
    /// The second and fourth byte of `b` added to the halves of `a`.
    add_odd(a: u32, b: u32) -> u32, "sxtab16 {result}, {a}, {b}, ror #8"
}
/// The larger of each two bytes.
#[inline(always)]
pub(super) fn max4(a: u32, b: u32) -> u32 {
    select::<0>(a, b)
}

/// The smaller of each two bytes.
#[inline(always)]
pub(super) fn min4(a: u32, b: u32) -> u32 {
    select::<1>(a, b)
}

/// The larger (`SMALLER` 0) or smaller of each two bytes.
#[inline(always)]
fn select<const SMALLER: usize>(a: u32, b: u32) -> u32 {
    let result;
    // SAFETY: reads and writes these registers and the flags only.
    unsafe {
        asm!(
            env!("EDGE8_DSP"),
            "ssub8 {result}, {a}, {b}",
            ".if {smaller}",
            "sel {result}, {b}, {a}",
            ".else",
            "sel {result}, {a}, {b}",
            ".endif",
            a = in(reg) a,
            b = in(reg) b,
            result = out(reg) result,
            smaller = const SMALLER,
            options(pure, nomem, nostack),
        );
    }
    result
}
