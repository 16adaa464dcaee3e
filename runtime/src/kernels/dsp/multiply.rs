//! Outputs of a packed matrix for one, two or four patches at once.

use crate::operator::Word;
use core::arch::naked_asm;

/// What the loops read. They copy all but the last two words to the stack: every register is taken.
#[repr(C)]
pub(super) struct Outputs {
    /// Read together, when an output is rescaled.
    pub mantissas: *const Word,
    pub shifts: *const i8,
    /// Twice the output's zero point, and one for the half that rounds.
    pub offset: i32,
    /// The first patch's outputs; those of the next patch lie `stride` bytes further.
    pub to: *mut i8,
    pub stride: usize,
    /// From the end of an output's weights to the begin of the next one's.
    pub rewind: isize,
    /// Read together, when an output begins.
    pub patches: *const u32,
    pub groups_and_one: usize,
    pub biases: *const Word,
    pub end: usize,
    pub weights: *const i8,
    pub first: usize,
}

/// A whole function: computes the outputs from `first` to `end`, of whole blocks of 16 outputs, or (`TAIL` 1) of one block,
/// in which `STEP` bytes lie between the groups of an output. All multipliers are below a quarter.
///
/// An output's sums are in r4 to r7. With `k = -1 - shift` its value is `(high half of sum * mantissa + 2^(k - 1)) >> k`, plus
/// the zero point, which is added before the shift where that fits into 32 bits.
///
/// * `begin`: copies the bias, which is in r4.
/// * `group`: adds 4 products to each sum: r0 are the patches, r1 the weights.
/// * `each`: what an instruction is written for, per sum.
/// * `store`: stores the values at r11, r12 bytes apart.
macro_rules! outputs {
    ($name:ident, $begin:literal, $group:literal, [$($sum:literal),+], $store:literal) => {
        /// See [`Outputs`].
        ///
        /// # Safety
        /// The patches are widened for this function and aligned to 4; everything else is there as the fields say.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name<const STEP: usize, const TAIL: usize>(outputs: *const Outputs) {
            naked_asm!(
                "push {{r4-r11, lr}}",
                "ldr r1, [r0, #40]",
                "ldr r3, [r0, #44]",
                "ldm r0, {{r2, r4-r12}}",
                "push {{r2, r4-r12}}",
                "2:",
                "ldr r4, [sp, #32]",
                "ldr r4, [r4, r3, lsl #2]",
                $begin,
                // An odd number of groups begins in the middle.
                "ldrd r0, r2, [sp, #24]",
                "lsrs r2, r2, #1",
                "bcc 4f",
                "3:",
                $group,
                "4:",
                $group,
                "subs r2, r2, #1",
                "bne 3b",
                "ldm sp, {{r8-r12, lr}}",
                "ldr r8, [r8, r3, lsl #2]",
                "ldrsb r9, [r9, r3]",
                "add r1, r1, lr",
                "mvn r9, r9",
                "sub r2, r9, #1",
                "cmp r9, #23",
                "bhi 7f",
                "lsl r10, r10, r2",
                $(concat!("smmla ", $sum, ", ", $sum, ", r8, r10"),)+
                $(concat!("asr ", $sum, ", ", $sum, ", r9"),)+
                "6:",
                $(concat!("ssat ", $sum, ", #8, ", $sum),)+
                "add r11, r11, r3",
                "add r3, r3, #1",
                $store,
                ".if {tail}",
                "ldr r2, [sp, #36]",
                "cmp r3, r2",
                "bne 2b",
                ".else",
                "tst r3, #15",
                "bne 2b",
                "sub r1, r1, lr",
                "sub r1, r1, #60",
                "ldr r2, [sp, #36]",
                "cmp r3, r2",
                "bne 2b",
                ".endif",
                "add sp, sp, #40",
                "pop {{r4-r11, pc}}",
                // The zero point does not fit.
                "7:",
                "mov r0, #1",
                "lsl r0, r0, r2",
                "asr r10, r10, #1",
                $(concat!("smmla ", $sum, ", ", $sum, ", r8, r0"),)+
                $(concat!("asr ", $sum, ", ", $sum, ", r9"),)+
                $(concat!("add ", $sum, ", ", $sum, ", r10"),)+
                "b 6b",
                step = const STEP,
                tail = const TAIL,
            )
        }
    };
}

outputs!(
    four,
    "mov r5, r4
     mov r6, r4
     mov r7, r4",
    "ldr r12, [r1], #{step}
     ldm r0!, {{r8-r11}}
     sxtb16 lr, r12
     smlad r4, lr, r8, r4
     smlad r5, lr, r9, r5
     smlad r6, lr, r10, r6
     smlad r7, lr, r11, r7
     ldm r0!, {{r8-r11}}
     sxtb16 r12, r12, ror #8
     smlad r4, r12, r8, r4
     smlad r5, r12, r9, r5
     smlad r6, r12, r10, r6
     smlad r7, r12, r11, r7",
    ["r4", "r5", "r6", "r7"],
    "strb r4, [r11]
     strb r5, [r11, r12]
     strb r6, [r11, r12, lsl #1]
     add r11, r11, r12
     strb r7, [r11, r12, lsl #1]"
);

outputs!(
    two,
    "mov r5, r4",
    "ldr r12, [r1], #{step}
     ldm r0!, {{r8-r11}}
     sxtb16 lr, r12
     sxtb16 r12, r12, ror #8
     smlad r4, lr, r8, r4
     smlad r5, lr, r9, r5
     smlad r4, r12, r10, r4
     smlad r5, r12, r11, r5",
    ["r4", "r5"],
    "strb r4, [r11]
     strb r5, [r11, r12]"
);

outputs!(
    one,
    "",
    "ldr r12, [r1], #{step}
     ldm r0!, {{r8-r9}}
     sxtb16 lr, r12
     sxtb16 r12, r12, ror #8
     smlad r4, lr, r8, r4
     smlad r4, r12, r9, r4",
    ["r4"],
    "strb r4, [r11]"
);
