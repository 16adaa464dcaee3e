//! Several outputs at once, whose weights are loaded together: they lie at multiples of 4.

use super::outputs::Outputs;
use core::arch::naked_asm;

/// A whole function, as those of [`single`](super::single), for a multiple of `outputs` outputs: lr counts and has the step
/// in its lowest byte, and the output lies on the stack.
///
/// * `begin`: loads the biases, which r12 points to, into the sums, r4 to r7.
/// * `group`: adds the products of a group to each sum.
/// * `finish`: rescales and stores the values: r8 are the mantissas, r9 the shifts, r10 is the offset, r11 the place, r12 the
///   stride; loads r3 again.
/// * `apart`: what `finish` branches to where the zero point does not fit.
macro_rules! many_outputs {
    (
        $name:ident $(<$(const $operand:ident as $constant:ident),+>)?,
        $outputs:literal,
        $begin:literal,
        $group:expr,
        $finish:expr,
        $apart:expr
    ) => {
        /// See [`Outputs`].
        ///
        /// # Safety
        /// As of the others; the weights are aligned to 4, and the outputs a multiple of those computed at once.
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
                // After a whole block the next one's weights follow, if there is one.
                "tst r3, #15",
                "bne 7f",
                "sub r1, r1, lr",
                "sub r1, r1, #(64 - 4 * {outputs})",
                "7:",
                "ldr r2, [sp, #44]",
                "cmp r3, r2",
                "bne 2b",
                "add sp, sp, #48",
                "pop {{r4-r11, pc}}",
                $apart,
                $($($operand = const $constant,)+)?
                outputs = const $outputs,
            )
        }
    };
}

/// Products of a word of weights with one patch, whose pairs are in r2 and r3.
#[rustfmt::skip]
macro_rules! one_patch {
    ($sum:literal, $weights:literal) => {
        concat!(
            "sxtb16 r12, ", $weights, "\n",
            "sxtb16 ", $weights, ", ", $weights, ", ror #8\n",
            "smlad ", $sum, ", r12, r2, ", $sum, "\n",
            "smlad ", $sum, ", ", $weights, ", r3, ", $sum, "\n"
        )
    };
}

/// Products of a word of weights with two patches, whose pairs are in r8 to r11.
#[rustfmt::skip]
macro_rules! two_patches {
    ($first:literal, $second:literal, $weights:literal) => {
        concat!(
            "sxtb16 r12, ", $weights, "\n",
            "sxtb16 ", $weights, ", ", $weights, ", ror #8\n",
            "smlad ", $first, ", r12, r8, ", $first, "\n",
            "smlad ", $second, ", r12, r9, ", $second, "\n",
            "smlad ", $first, ", ", $weights, ", r10, ", $first, "\n",
            "smlad ", $second, ", ", $weights, ", r11, ", $second, "\n"
        )
    };
}

/// Loads what output `index` of those computed at once is rescaled by, and branches to `apart` where the zero point does not
/// fit: r0 the mantissa, r2 the rounding constant, r3 the shift.
#[rustfmt::skip]
macro_rules! constants {
    ($index:literal, $apart:literal) => {
        concat!(
            "ldrsb r3, [r9, #", $index, "]\n",
            "ldr r0, [r8, #4 * ", $index, "]\n",
            "adds r2, r3, #25\n",
            "mvn r3, r3\n",
            "ble ", $apart, "f\n",
            "asr r2, r10, r2\n"
        )
    };
}

/// Rescales a sum by what [`constants!`] has loaded.
#[rustfmt::skip]
macro_rules! rescale {
    ($sum:literal) => {
        concat!("smmla ", $sum, ", ", $sum, ", r0, r2\n", "asr ", $sum, ", ", $sum, ", r3\n")
    };
}

/// As [`rescale!`], with the zero point added by itself.
#[rustfmt::skip]
macro_rules! rescale_apart {
    ($sum:literal) => {
        concat!(rescale!($sum), "add ", $sum, ", ", $sum, ", r10, asr #24\n")
    };
}

/// Where the zero point does not fit: the rounding constant without it.
#[rustfmt::skip]
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
        "uxtab r1, r1, lr\n",
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
    two_by_two<const step as STEP>,
    2,
    "ldr r4, [r12]
     ldr r6, [r12, #4]
     mov r5, r4
     mov r7, r6",
    concat!(
        ".if {step}\nldrd r2, r3, [r1], #{step}\n.else\nldrd r2, r3, [r1]\nuxtab r1, r1, lr\n.endif\n",
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
