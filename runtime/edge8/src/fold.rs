//! All constants of an operator brought together, to check them at once.

use core::arch::naked_asm;

/// A whole function: eight words at a time, then one.
///
/// * `each`: brings the word in r4 together with r12, or the status register; `more` those in r5 to r11. r2 and r3 are the
///   last operands.
/// * `end`: sets r0.
macro_rules! fold {
    ($name:ident, $each:literal, $more:literal, $end:literal) => {
        /// # Safety
        /// There are `count` words at `words`, which is aligned to 4.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(words: *const u32, count: usize, a: u32, b: u32) -> u32 {
            naked_asm!(
                env!("EDGE8_DSP"),
                "push {{r4-r11, lr}}",
                "mov r12, #0",
                "msr apsr_nzcvq, r12",
                "subs r1, r1, #8",
                "bcc 3f",
                "2:",
                "ldm r0!, {{r4-r11}}",
                $each,
                $more,
                "subs r1, r1, #8",
                "bcs 2b",
                "3:",
                "adds r1, r1, #8",
                "beq 5f",
                "4:",
                "ldr r4, [r0], #4",
                $each,
                "subs r1, r1, #1",
                "bne 4b",
                "5:",
                $end,
                "pop {{r4-r11, pc}}",
            )
        }
    };
}

fold!(
    any,
    "orr r12, r12, r4",
    "orr r12, r12, r5
     orr r12, r12, r6
     orr r12, r12, r7
     orr r12, r12, r8
     orr r12, r12, r9
     orr r12, r12, r10
     orr r12, r12, r11",
    "mov r0, r12"
);

// What does not fit sets a flag that stays set.
fold!(
    saturate,
    "ssat r4, #31, r4",
    "ssat r5, #31, r5
     ssat r6, #31, r6
     ssat r7, #31, r7
     ssat r8, #31, r8
     ssat r9, #31, r9
     ssat r10, #31, r10
     ssat r11, #31, r11",
    "mrs r0, apsr
     and r0, r0, #(1 << 27)"
);

// To each byte that of r2 is added; what it then is more than that of r3 is left.
fold!(
    beyond,
    "uadd8 r4, r4, r2
     uqsub8 r4, r4, r3
     orr r12, r12, r4",
    "uadd8 r5, r5, r2
     uqsub8 r5, r5, r3
     orr r12, r12, r5
     uadd8 r6, r6, r2
     uqsub8 r6, r6, r3
     orr r12, r12, r6
     uadd8 r7, r7, r2
     uqsub8 r7, r7, r3
     orr r12, r12, r7
     uadd8 r8, r8, r2
     uqsub8 r8, r8, r3
     orr r12, r12, r8
     uadd8 r9, r9, r2
     uqsub8 r9, r9, r3
     orr r12, r12, r9
     uadd8 r10, r10, r2
     uqsub8 r10, r10, r3
     orr r12, r12, r10
     uadd8 r11, r11, r2
     uqsub8 r11, r11, r3
     orr r12, r12, r11",
    "mov r0, r12"
);

/// Whether all words are aligned to 4 and not negative.
pub(crate) fn are_not_negative(words: &[[u8; 4]]) -> bool {
    let first = words.as_ptr().cast::<u32>();
    // SAFETY: there are as many words, and they are aligned.
    first.is_aligned() && unsafe { any(first, words.len(), 0, 0) } >> 31 == 0
}

/// Whether all words are aligned to 4 and in [-2^30, 2^30).
pub(crate) fn fit_31_bits(words: &[[u8; 4]]) -> bool {
    let first = words.as_ptr().cast::<u32>();
    // SAFETY: as above.
    first.is_aligned() && unsafe { saturate(first, words.len(), 0, 0) } == 0
}

/// Whether all bytes are in a range, and aligned to 4.
pub(crate) fn are_between(bytes: &[[i8; 4]], least: i8, most: i8) -> bool {
    let all = |byte: u8| u32::from_ne_bytes([byte; 4]);
    let (from, width) = (all(least.wrapping_neg() as u8), all(most.wrapping_sub(least) as u8));
    let first = bytes.as_ptr().cast::<u32>();
    // SAFETY: as above.
    first.is_aligned() && unsafe { beyond(first, bytes.len(), from, width) } == 0
}
