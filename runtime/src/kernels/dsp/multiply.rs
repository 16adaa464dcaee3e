//! Outputs of a packed matrix for one, two or four patches at once.

use crate::operator::Word;
use crate::packing::GROUP;
use core::arch::naked_asm;

/// What the loops read. They copy all but the last two words to the stack: every register is taken.
#[repr(C)]
pub(super) struct Outputs {
    /// Read together, when an output is rescaled.
    pub mantissas: *const Word,
    pub shifts: *const i8,
    /// Twice the output's zero point, and one for the half that rounds, times 2^23.
    pub offset: i32,
    /// The first patch's outputs; those of the next patch lie `stride` bytes further.
    pub to: *mut i8,
    pub stride: usize,
    /// From the end of an output's weights to the begin of the next one's.
    pub rewind: isize,
    /// Read together, when an output begins.
    pub patches: *const u32,
    /// How often the loop of [`UNROLLED`] groups runs, the first time from the group `enter + 1` on.
    pub loops: usize,
    pub enter: usize,
    pub biases: *const Word,
    pub end: usize,
    pub weights: *const i8,
    pub first: usize,
}

impl Outputs {
    /// Sets how the loops walk over so many groups, `step` bytes apart, for so many outputs at once.
    pub(super) fn walk(&mut self, groups: usize, outputs: usize, step: usize) {
        // Where an output is computed by itself, its first group is before the loop.
        let left = if outputs == 1 { groups.wrapping_sub(1) } else { groups };
        (self.loops, self.enter) = (left / UNROLLED + 1, UNROLLED - 1 - left % UNROLLED);
        self.rewind = (outputs * GROUP) as isize - (groups * step) as isize;
    }
}

/// Groups in the loop.
const UNROLLED: usize = 4;

/// The loop of groups, entered where the frame's word at `enter` says; `$count` counts.
macro_rules! groups {
    ($group:expr, $count:literal, $enter:literal) => {
        concat!(
            "ldr r12, [sp, #",
            $enter,
            "]\n",
            "tbb [pc, r12]\n",
            "3: .byte (51f - 3b) / 2, (52f - 3b) / 2, (53f - 3b) / 2, (54f - 3b) / 2\n",
            "50:\n",
            $group,
            "\n",
            "51:\n",
            $group,
            "\n",
            "52:\n",
            $group,
            "\n",
            "53:\n",
            $group,
            "\n",
            "54:\n",
            "subs ",
            $count,
            ", ",
            $count,
            ", #1\n",
            "bne 50b\n"
        )
    };
}

/// A whole function: computes the outputs from `first` to `end`, of whole blocks of 16 outputs, or (`TAIL` 1) of one block,
/// in which `STEP` bytes lie between the groups of an output. All multipliers are below a quarter.
///
/// An output's sums are in r4 to r7. With `k = -1 - shift` its value is `(high half of sum * mantissa + 2^(k - 1)) >> k`, plus
/// the zero point, which is added before the shift where that fits into 32 bits.
///
/// * `first`: adds 4 products to the bias, which is in r4, for each sum: r0 are the patches, r1 the weights.
/// * `group`: adds 4 products to each sum.
/// * `each`: what an instruction is written for, per sum.
/// * `store`: stores the values at r11, r12 bytes apart.
macro_rules! outputs {
    ($name:ident, $first:literal, $group:literal, [$($sum:literal),+], $store:literal) => {
        /// See [`Outputs`].
        ///
        /// # Safety
        /// The patches are widened for this function and aligned to 4; everything else is there as the fields say.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name<const STEP: usize, const TAIL: usize>(outputs: *const Outputs) {
            naked_asm!(
                env!("EDGE8_DSP"),
                "push {{r4-r11, lr}}",
                "ldr r1, [r0, #44]",
                "ldr r3, [r0, #48]",
                "ldm r0, {{r2, r4-r12, lr}}",
                "push {{r2, r4-r12, lr}}",
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
                ".if {tail}",
                "ldr r2, [sp, #40]",
                "cmp r3, r2",
                "bne 2b",
                ".else",
                "tst r3, #15",
                "bne 2b",
                "sub r1, r1, lr",
                "sub r1, r1, #60",
                "ldr r2, [sp, #40]",
                "cmp r3, r2",
                "bne 2b",
                ".endif",
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
                step = const STEP,
                tail = const TAIL,
            )
        }
    };
}

outputs!(
    four,
    "ldr r12, [r1], #{step}
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
    "ldr r12, [r1], #{step}
     ldm r0!, {{r8-r11}}
     sxtb16 lr, r12
     sxtb16 r12, r12, ror #8
     smlad r5, lr, r9, r4
     smlad r4, lr, r8, r4
     smlad r4, r12, r10, r4
     smlad r5, r12, r11, r5",
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
    "ldr r12, [r1], #{step}
     ldm r0!, {{r8-r9}}
     sxtb16 lr, r12
     sxtb16 r12, r12, ror #8
     smlad r4, lr, r8, r4
     smlad r4, r12, r9, r4",
    "ldr r12, [r1], #{step}
     ldm r0!, {{r8-r9}}
     sxtb16 lr, r12
     sxtb16 r12, r12, ror #8
     smlad r4, lr, r8, r4
     smlad r4, r12, r9, r4",
    ["r4"],
    "strb r4, [r11]"
);

/// As [`outputs!`], several outputs at once, whose weights are loaded together: `OUTPUTS` of them, r12 loads what an output
/// is rescaled by. Their number is a multiple of that, and the weights are aligned to 4.
macro_rules! many_outputs {
    ($name:ident, $outputs:literal, $begin:literal, $group:expr, $finish:expr, $apart:expr) => {
        /// See [`Outputs`].
        ///
        /// # Safety
        /// As of the others; the weights are aligned to 4, and the outputs a multiple of those computed at once.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name<const STEP: usize, const TAIL: usize>(outputs: *const Outputs) {
            naked_asm!(
                env!("EDGE8_DSP"),
                "push {{r4-r11, lr}}",
                "ldr r1, [r0, #44]",
                "ldr r3, [r0, #48]",
                "ldm r0, {{r2, r4-r12, lr}}",
                "push {{r2, r4-r12, lr}}",
                "push {{r3}}",
                "2:",
                "ldr r12, [sp, #40]",
                "add r12, r12, r3, lsl #2",
                $begin,
                "ldrd r0, lr, [sp, #28]",
                groups!($group, "lr", 36),
                "add r0, sp, #4",
                "ldr r3, [sp]",
                "ldm r0, {{r8-r12, lr}}",
                "add r8, r8, r3, lsl #2",
                "add r9, r9, r3",
                "add r11, r11, r3",
                "add r1, r1, lr",
                $finish,
                "add r3, r3, #{outputs}",
                "str r3, [sp]",
                ".if {tail} == 0",
                "tst r3, #15",
                "bne 2b",
                "sub r1, r1, lr",
                "sub r1, r1, #(64 - 4 * {outputs})",
                ".endif",
                "ldr r2, [sp, #44]",
                "cmp r3, r2",
                "bne 2b",
                "add sp, sp, #48",
                "pop {{r4-r11, pc}}",
                $apart,
                step = const STEP,
                tail = const TAIL,
                outputs = const $outputs,
            )
        }
    };
}

/// Products of a word of weights with one patch, whose pairs are in r2 and r3.
macro_rules! one_patch {
    ($sum:literal, $weights:literal) => {
        concat!(
            "sxtb16 r12, ",
            $weights,
            "\n",
            "sxtb16 ",
            $weights,
            ", ",
            $weights,
            ", ror #8\n",
            "smlad ",
            $sum,
            ", r12, r2, ",
            $sum,
            "\n",
            "smlad ",
            $sum,
            ", ",
            $weights,
            ", r3, ",
            $sum,
            "\n"
        )
    };
}

/// Products of a word of weights with two patches, whose pairs are in r8 to r11.
macro_rules! two_patches {
    ($first:literal, $second:literal, $weights:literal) => {
        concat!(
            "sxtb16 r12, ",
            $weights,
            "\n",
            "sxtb16 ",
            $weights,
            ", ",
            $weights,
            ", ror #8\n",
            "smlad ",
            $first,
            ", r12, r8, ",
            $first,
            "\n",
            "smlad ",
            $second,
            ", r12, r9, ",
            $second,
            "\n",
            "smlad ",
            $first,
            ", ",
            $weights,
            ", r10, ",
            $first,
            "\n",
            "smlad ",
            $second,
            ", ",
            $weights,
            ", r11, ",
            $second,
            "\n"
        )
    };
}

/// Loads what output `index` of those computed at once is rescaled by, and branches to `apart` where the zero point does not
/// fit: r0 the mantissa, r2 the rounding constant, r3 the shift.
macro_rules! constants {
    ($index:literal, $apart:literal) => {
        concat!(
            "ldrsb r3, [r9, #",
            $index,
            "]\n",
            "ldr r0, [r8, #4 * ",
            $index,
            "]\n",
            "adds r2, r3, #25\n",
            "mvn r3, r3\n",
            "ble ",
            $apart,
            "f\n",
            "asr r2, r10, r2\n"
        )
    };
}

/// Rescales a sum by what [`constants!`] has loaded.
macro_rules! rescale {
    ($sum:literal) => {
        concat!("smmla ", $sum, ", ", $sum, ", r0, r2\n", "asr ", $sum, ", ", $sum, ", r3\n")
    };
}

/// As [`rescale!`], with the zero point added by itself.
macro_rules! rescale_apart {
    ($sum:literal) => {
        concat!(rescale!($sum), "add ", $sum, ", ", $sum, ", r10, asr #24\n")
    };
}

/// Where the zero point does not fit: the rounding constant without it.
macro_rules! rounding {
    ($label:literal, $index:literal) => {
        concat!($label, ": sub r2, r3, #1\nmov r0, #1\nlsl r2, r0, r2\nldr r0, [r8, #4 * ", $index, "]\n")
    };
}

many_outputs!(
    one_by_four,
    4,
    "ldr r4, [r12]
     ldr r5, [r12, #4]
     ldr r6, [r12, #8]
     ldr r7, [r12, #12]",
    concat!(
        "ldm r1, {{r8-r11}}\n",
        "add r1, r1, #{step}\n",
        "ldm r0!, {{r2, r3}}\n",
        one_patch!("r4", "r8"),
        one_patch!("r5", "r9"),
        one_patch!("r6", "r10"),
        one_patch!("r7", "r11"),
    ),
    concat!(
        constants!(0, "30"),
        rescale!("r4"),
        "40: ssat r4, #8, r4\nstrb r4, [r11, #0]\n",
        constants!(1, "31"),
        rescale!("r5"),
        "41: ssat r5, #8, r5\nstrb r5, [r11, #1]\n",
        constants!(2, "32"),
        rescale!("r6"),
        "42: ssat r6, #8, r6\nstrb r6, [r11, #2]\n",
        constants!(3, "33"),
        rescale!("r7"),
        "43: ssat r7, #8, r7\nstrb r7, [r11, #3]\n",
        "ldr r3, [sp]\n"
    ),
    concat!(
        rounding!("30", 0),
        rescale_apart!("r4"),
        "b 40b\n",
        rounding!("31", 1),
        rescale_apart!("r5"),
        "b 41b\n",
        rounding!("32", 2),
        rescale_apart!("r6"),
        "b 42b\n",
        rounding!("33", 3),
        rescale_apart!("r7"),
        "b 43b\n",
    )
);

many_outputs!(
    two_by_two,
    2,
    "ldr r4, [r12]
     ldr r6, [r12, #4]
     mov r5, r4
     mov r7, r6",
    concat!(
        "ldrd r2, r3, [r1], #{step}\n",
        "ldm r0!, {{r8-r11}}\n",
        two_patches!("r4", "r5", "r2"),
        two_patches!("r6", "r7", "r3"),
    ),
    concat!(
        constants!(0, "30"),
        rescale!("r4"),
        rescale!("r5"),
        "40: ssat r4, #8, r4\nssat r5, #8, r5\nstrb r4, [r11, #0]\nstrb r5, [r11, r12]\nadd r12, r12, #1\n",
        constants!(1, "31"),
        rescale!("r6"),
        rescale!("r7"),
        "41: ssat r6, #8, r6\nssat r7, #8, r7\nstrb r6, [r11, #1]\nstrb r7, [r11, r12]\nadd r12, r12, #1\n",
        "ldr r3, [sp]\n"
    ),
    concat!(
        rounding!("30", 0),
        rescale_apart!("r4"),
        rescale_apart!("r5"),
        "b 40b\n",
        rounding!("31", 1),
        rescale_apart!("r6"),
        rescale_apart!("r7"),
        "b 41b\n",
    )
);
