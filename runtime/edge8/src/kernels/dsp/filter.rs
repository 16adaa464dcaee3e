//! A 3x3 filter of one channel over a row of columns.

use crate::operator::Word;
use core::arch::naked_asm;

/// Words of a column of four channels. Of the first channel, the second, the third and the fourth these are
///
/// * words 0, 3, 2, 5: its values in the window's first and third row, 16 bits each;
/// * words 1, 4, 1, 4: its value in the middle row, the lower half of the word for the first two channels, else the upper.
pub(super) const COLUMN: usize = 6;

/// What all channels of a row have in common.
#[repr(C)]
pub(super) struct Row {
    pub weights: *const i8,
    /// Bytes from column to column of the kernel.
    pub weight_step: usize,
    pub biases: *const Word,
    pub mantissas: *const Word,
    pub shifts: *const i8,
    /// Twice the output's zero point, and one for the half that rounds, times 2^23.
    pub offset: i32,
    /// The number of outputs but one, times 256.
    pub outputs_but_one: usize,
    /// Bytes from output to output.
    pub step: usize,
}

/// Loads a column.
///
/// All code here computes a row in registers:
///
/// * r0 the next column, r1 the next output, r2 bytes between outputs;
/// * r3, r4, r5 the weights of the first and third row in each column, r6 of the middle row in the first two columns, r7 in
///   the third;
/// * r8 and further sums, r11 and r12 a column's first and third value, and its middle value;
/// * lr the outputs left, and in its low byte what `asr` shifts by;
/// * on the stack the bias, the mantissa, the rounding constant, a zero point to be added in the end or 0, and lr as it was.
macro_rules! load {
    (bottom) => {
        "ldrd r11, r12, [r0], #24\n"
    };
    (top) => {
        "ldrd r12, r11, [r0], #24\n"
    };
}

/// The product of the middle value, in the lower or upper half of its word, with a half of a register of weights.
macro_rules! middle {
    (bottom, $sum:literal, $weights:literal, $half:literal) => {
        concat!("smlab", $half, " ", $sum, ", r12, ", $weights, ", ", $sum, "\n")
    };
    (top, $sum:literal, $weights:literal, $half:literal) => {
        concat!("smlat", $half, " ", $sum, ", r12, ", $weights, ", ", $sum, "\n")
    };
}

/// A sum begins with the first column of its window.
#[rustfmt::skip]
macro_rules! first {
    ($half:ident, $sum:literal) => {
        concat!(
            "ldr ", $sum, ", [sp]\n",
            "smlad ", $sum, ", r11, r3, ", $sum, "\n",
            middle!($half, $sum, "r6", "b")
        )
    };
}

/// The second column is added.
macro_rules! second {
    ($half:ident, $sum:literal) => {
        concat!("smlad ", $sum, ", r11, r4, ", $sum, "\n", middle!($half, $sum, "r6", "t"))
    };
}

/// The third column is added.
macro_rules! third {
    ($half:ident, $sum:literal) => {
        concat!("smlad ", $sum, ", r11, r5, ", $sum, "\n", middle!($half, $sum, "r7", "b"))
    };
}

/// A complete sum is rescaled and stored; after the last the code is left.
#[rustfmt::skip]
macro_rules! finish {
    ($sum:literal) => {
        concat!(
            "ldrd r11, r12, [sp, #4]\n",
            "smmla ", $sum, ", ", $sum, ", r11, r12\n",
            "asr ", $sum, ", ", $sum, ", lr\n",
            "ssat ", $sum, ", #8, ", $sum, "\n",
            "strb ", $sum, ", [r1]\n",
            "add r1, r1, r2\n",
            "subs lr, lr, #256\n",
            "bcc 4f\n"
        )
    };
}

/// Windows one column apart.
#[rustfmt::skip]
macro_rules! stride_1 {
    ($half:ident) => {
        concat!(
            load!($half), first!($half, "r8"),
            load!($half), first!($half, "r9"), second!($half, "r8"),
            "2:\n",
            load!($half), first!($half, "r10"), second!($half, "r9"), third!($half, "r8"),
            finish!("r8"),
            load!($half), first!($half, "r8"), second!($half, "r10"), third!($half, "r9"),
            finish!("r9"),
            load!($half), first!($half, "r9"), second!($half, "r8"), third!($half, "r10"),
            finish!("r10"),
            "b 2b\n",
            "4:\n"
        )
    };
}

/// Windows two columns apart.
#[rustfmt::skip]
macro_rules! stride_2 {
    ($half:ident) => {
        concat!(
            load!($half), first!($half, "r8"),
            "2:\n",
            load!($half), second!($half, "r8"),
            load!($half), first!($half, "r9"), third!($half, "r8"),
            finish!("r8"),
            load!($half), second!($half, "r9"),
            load!($half), first!($half, "r8"), third!($half, "r9"),
            finish!("r9"),
            "b 2b\n",
            "4:\n"
        )
    };
}

/// A whole function. A sum is rescaled as [`multiply`](super::multiply) says.
macro_rules! filter {
    ($name:ident, $stride:ident, $half:ident) => {
        /// The outputs of a channel: `columns` points to the word of its first column that lies before the other.
        ///
        /// # Safety
        /// There are as many columns as the outputs need, aligned to 4, room for the outputs, one at least, and all that the row
        /// says of the channel.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(
            row: *const Row,
            channel: usize,
            columns: *const u32,
            to: *mut i8,
        ) {
            naked_asm!(
                env!("EDGE8_DSP"),
                "push {{r4-r11, lr}}",
                "ldm r0, {{r4-r11}}",
                "mov r0, r2",
                "mov r2, r11",
                "mov lr, r10",
                "ldr r6, [r6, r1, lsl #2]",
                "ldr r7, [r7, r1, lsl #2]",
                "ldrsb r8, [r8, r1]",
                "add r4, r4, r1, lsl #2",
                "mov r1, r3",
                "adds r10, r8, #25",
                "mvn r8, r8",
                "orr lr, lr, r8",
                // Where the zero point does not fit, values are within 64 of 0 and not saturated without it.
                "asr r12, r9, #24",
                "itt gt",
                "asrgt r9, r9, r10",
                "movgt r12, #0",
                "ittt le",
                "suble r10, r8, #1",
                "movle r9, #1",
                "lslle r9, r9, r10",
                "push {{r6, r7, r9, r12, lr}}",
                "ldr r8, [r4]",
                "ldr r9, [r4, r5]",
                "ldr r10, [r4, r5, lsl #1]",
                "sxtb16 r3, r8",
                "sxtb16 r6, r8, ror #8",
                "sxtb16 r4, r9",
                "sxtb16 r9, r9, ror #8",
                "sxtb16 r5, r10",
                "sxtb16 r7, r10, ror #8",
                "pkhbt r6, r6, r9, lsl #16",
                $stride!($half),
                "pop {{r6, r7, r9, r12, lr}}",
                "cmp r12, #0",
                "beq 6f",
                "5:",
                "sub r1, r1, r2",
                "ldrsb r3, [r1]",
                "add r3, r3, r12",
                "ssat r3, #8, r3",
                "strb r3, [r1]",
                "subs lr, lr, #256",
                "bcs 5b",
                "6:",
                "pop {{r4-r11, pc}}",
            )
        }
    };
}

filter!(bottom_1, stride_1, bottom);
filter!(top_1, stride_1, top);
filter!(bottom_2, stride_2, bottom);
filter!(top_2, stride_2, top);
