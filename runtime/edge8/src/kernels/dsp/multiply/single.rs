//! One output at a time, weights at any address.

use super::outputs::Outputs;
use core::arch::naked_asm;

/// A whole function: computes the outputs from `first` to `end`. r0 are the patches, r1 the weights, r2 counts, r3 is the
/// output.
///
/// * `begin`: before the first output; r0 points to the [`Outputs`].
/// * `first`: adds the products of a group to the bias, which is in r4, for each sum.
/// * `group`: adds the products of a group to each sum.
/// * `sum`: the registers of the sums.
/// * `store`: stores the values at r11, r12 bytes apart.
/// * `next`: where output r3 does not follow on the one before, whose weights are `-lr - 4` bytes behind.
macro_rules! outputs {
    (
        $name:ident $(<$(const $operand:ident as $constant:ident),+>)?,
        $begin:literal,
        $first:literal,
        $group:literal,
        [$($sum:literal),+],
        $store:literal,
        $next:literal
    ) => {
        /// See [`Outputs`].
        ///
        /// # Safety
        /// The patches are widened for this function and aligned to 4; everything else is there as the fields say.
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name$(<$(const $constant: usize),+>)?(
            outputs: *const Outputs,
        ) {
            naked_asm!(
                env!("EDGE8_DSP"),
                "push {{r4-r11, lr}}",
                "ldr r1, [r0, #44]",
                "ldr r3, [r0, #48]",
                "ldm r0, {{r2, r4-r12, lr}}",
                "push {{r2, r4-r12, lr}}",
                $begin,
                "2:",
                "ldr r4, [sp, #36]",
                "ldr r4, [r4, r3, lsl #2]",
                "ldrd r0, r2, [sp, #24]",
                $first,
                groups!($group, "r2", 32),
                "ldm sp, {{r8-r12, lr}}",
                "ldr r8, [r8, r3, lsl #2]",
                "ldrsb r9, [r9, r3]",
                "add r1, r1, lr",
                "adds r2, r9, #25",
                "mvn r9, r9",
                "ble 7f",
                "asr r10, r10, r2",
                $(concat!("smmla ", $sum, ", ", $sum, ", r8, r10"),)+
                $(concat!("asr ", $sum, ", ", $sum, ", r9"),)+
                "6:",
                $(concat!("ssat ", $sum, ", #8, ", $sum),)+
                "add r11, r11, r3",
                "add r3, r3, #1",
                $store,
                $next,
                "ldr r2, [sp, #40]",
                "cmp r3, r2",
                "bne 2b",
                "add sp, sp, #44",
                "pop {{r4-r11, pc}}",
                // The zero point does not fit.
                "7:",
                "mov r0, #1",
                "sub r2, r9, #1",
                "lsl r0, r0, r2",
                "asr r10, r10, #24",
                $(concat!("smmla ", $sum, ", ", $sum, ", r8, r0"),)+
                $(concat!("asr ", $sum, ", ", $sum, ", r9"),)+
                $(concat!("add ", $sum, ", ", $sum, ", r10"),)+
                "b 6b",
                $($($operand = const $constant,)+)?
            )
        }
    };
}

// Of whole blocks of 16 outputs (`STEP` 64), or of one block whose groups lie `STEP` bytes apart, or (0) as many as are given.
outputs!(
    four<const step as STEP>,
    "",
    ".if {step}
     ldr r12, [r1], #{step}
     .else
     ldr r12, [r1]
     uxtab r1, r1, r2
     .endif
     ldm r0!, {{r8-r11}}
     sxtb16 lr, r12
     smlad r7, lr, r11, r4
     smlad r6, lr, r10, r4
     smlad r5, lr, r9, r4
     smlad r4, lr, r8, r4
     ldm r0!, {{r8-r11}}
     sxtb16 r12, r12, ror #8
     smlad r4, r12, r8, r4
     smlad r5, r12, r9, r5
     smlad r6, r12, r10, r6
     smlad r7, r12, r11, r7",
    ".if {step}
     ldr r12, [r1], #{step}
     .else
     ldr r12, [r1]
     uxtab r1, r1, r2
     .endif
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
     strb r7, [r11, r12, lsl #1]",
    ".if {step} == 64
     tst r3, #15
     bne 2b
     sub r1, r1, lr
     sub r1, r1, #60
     .endif"
);

// Of one block; r6 bytes lie between the groups of an output.
outputs!(
    two,
    "ldr r6, [r0, #52]",
    "ldr r12, [r1]
     add r1, r1, r6
     ldm r0!, {{r8-r11}}
     sxtb16 lr, r12
     sxtb16 r12, r12, ror #8
     smlad r5, lr, r9, r4
     smlad r4, lr, r8, r4
     smlad r4, r12, r10, r4
     smlad r5, r12, r11, r5",
    "ldr r12, [r1]
     add r1, r1, r6
     ldm r0!, {{r8-r11}}
     sxtb16 lr, r12
     sxtb16 r12, r12, ror #8
     smlad r4, lr, r8, r4
     smlad r5, lr, r9, r5
     smlad r4, r12, r10, r4
     smlad r5, r12, r11, r5",
    ["r4", "r5"],
    "strb r4, [r11]
     strb r5, [r11, r12]",
    ""
);

// As the one before.
outputs!(
    one,
    "ldr r6, [r0, #52]",
    "ldr r12, [r1]
     add r1, r1, r6
     ldm r0!, {{r8, r9}}
     sxtb16 lr, r12
     sxtb16 r12, r12, ror #8
     smlad r4, lr, r8, r4
     smlad r4, r12, r9, r4",
    "ldr r12, [r1]
     add r1, r1, r6
     ldm r0!, {{r8, r9}}
     sxtb16 lr, r12
     sxtb16 r12, r12, ror #8
     smlad r4, lr, r8, r4
     smlad r4, r12, r9, r4",
    ["r4"],
    "strb r4, [r11]",
    ""
);
