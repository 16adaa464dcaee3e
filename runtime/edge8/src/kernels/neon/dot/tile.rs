//! Sums of 16 outputs as one piece of assembly each: which register holds what is part of how few instructions there are.

use crate::kernels::neon::product::{Inputs, Tiles};
use core::arch::aarch64::*;
use core::arch::asm;

/// The products of a group of four patches, in lane `$lane` of `$a` to `$d`, with the next 64 weights.
macro_rules! four {
    ($a:literal, $b:literal, $c:literal, $d:literal, $lane:literal) => {
        concat!(
            "ld1 {{ v28.16b, v29.16b, v30.16b, v31.16b }}, [{w}], #64\n",
            four!("v0", "v4", "v8", "v12", "v28", $a, $b, $c, $d, $lane),
            four!("v1", "v5", "v9", "v13", "v29", $a, $b, $c, $d, $lane),
            four!("v2", "v6", "v10", "v14", "v30", $a, $b, $c, $d, $lane),
            four!("v3", "v7", "v11", "v15", "v31", $a, $b, $c, $d, $lane),
        )
    };
    ($e:literal, $f:literal, $g:literal, $h:literal, $w:literal,
     $a:literal, $b:literal, $c:literal, $d:literal, $lane:literal) => {
        concat!(
            "sdot ", $e, ".4s, ", $w, ".16b, ", $a, ".4b[", $lane, "]\n",
            "sdot ", $f, ".4s, ", $w, ".16b, ", $b, ".4b[", $lane, "]\n",
            "sdot ", $g, ".4s, ", $w, ".16b, ", $c, ".4b[", $lane, "]\n",
            "sdot ", $h, ".4s, ", $w, ".16b, ", $d, ".4b[", $lane, "]\n",
        )
    };
}

/// The four sums of a patch from its four registers to 16 values in the first two.
macro_rules! rescale {
    ($a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "sqdmulh ", $a, ".4s, ", $a, ".4s, v28.4s\n",
            "sqdmulh ", $b, ".4s, ", $b, ".4s, v29.4s\n",
            "sqdmulh ", $c, ".4s, ", $c, ".4s, v30.4s\n",
            "sqdmulh ", $d, ".4s, ", $d, ".4s, v31.4s\n",
            "sqshl ", $a, ".4s, ", $a, ".4s, v24.4s\n",
            "sqshl ", $b, ".4s, ", $b, ".4s, v25.4s\n",
            "sqshl ", $c, ".4s, ", $c, ".4s, v26.4s\n",
            "sqshl ", $d, ".4s, ", $d, ".4s, v27.4s\n",
            "uzp2 ", $a, ".8h, ", $a, ".8h, ", $b, ".8h\n",
            "uzp2 ", $b, ".8h, ", $c, ".8h, ", $d, ".8h\n",
        )
    };
}

/// From sums to values that are stored: see [`Rescale`](crate::kernels::neon::rescale::Rescale) and
/// [`Finish`](crate::kernels::neon::rescale::Finish).
macro_rules! finish {
    () => {
        concat!(
            "ld1 {{ v28.4s, v29.4s, v30.4s, v31.4s }}, [{mantissa}]\n",
            rescale!("v0", "v1", "v2", "v3"),
            rescale!("v4", "v5", "v6", "v7"),
            rescale!("v8", "v9", "v10", "v11"),
            rescale!("v12", "v13", "v14", "v15"),
            "dup v28.8h, {zero_point:w}\n",
            finish!("v0", "v1"),
            finish!("v4", "v5"),
            finish!("v8", "v9"),
            finish!("v12", "v13"),
            "cbz {limits}, 9f\n",
            "ld1 {{ v28.16b, v29.16b }}, [{limits}]\n",
            finish!("v0"),
            finish!("v4"),
            finish!("v8"),
            finish!("v12"),
            "9:\n",
            "st1 {{ v0.16b }}, [{to}], {outputs}\n",
            "st1 {{ v4.16b }}, [{to}], {outputs}\n",
            "st1 {{ v8.16b }}, [{to}], {outputs}\n",
            "st1 {{ v12.16b }}, [{to}], {outputs}\n",
        )
    };
    ($a:literal, $b:literal) => {
        concat!(
            "sqadd ", $a, ".8h, ", $a, ".8h, v28.8h\n",
            "sqadd ", $b, ".8h, ", $b, ".8h, v28.8h\n",
            "sqrshrn ", $a, ".8b, ", $a, ".8h, #6\n",
            "sqrshrn2 ", $a, ".16b, ", $b, ".8h, #6\n",
        )
    };
    ($a:literal) => {
        concat!(
            "smax ", $a, ".16b, ", $a, ".16b, v28.16b\n",
            "smin ", $a, ".16b, ", $a, ".16b, v29.16b\n",
        )
    };
}

/// What is done once for a block of outputs: its shifts to registers, its patches and its place in the output.
macro_rules! block {
    () => {
        concat!(
            "ldr q28, [{shift}], #16\n",
            "movi v29.16b, #22\n",
            "ldp {a}, {count}, [{tiles}]\n",
            "mov {to}, {first}\n",
            "add {first}, {first}, #16\n",
            "add v28.16b, v28.16b, v29.16b\n",
            "sshll v29.8h, v28.8b, #0\n",
            "sshll2 v28.8h, v28.16b, #0\n",
            "sshll v24.4s, v29.4h, #0\n",
            "sshll2 v25.4s, v29.8h, #0\n",
            "sshll v26.4s, v28.4h, #0\n",
            "sshll2 v27.4s, v28.8h, #0\n",
        )
    };
}

/// Patches of four, and blocks of 16 outputs.
///
/// # Safety
/// As of [`Multiply::tiles`](crate::kernels::neon::product::Multiply::tiles).
#[inline(always)]
pub(super) unsafe fn fours(tiles: &Tiles) {
    let Inputs { step, rows, row_len, gap } = tiles.inputs;
    // SAFETY: see above.
    unsafe {
        if (rows, row_len) == (1, 8) {
            return fours_of_eight(tiles);
        }
        asm!(
            ".arch_extension dotprod",
            "2:",
            block!(),
            "add {end}, {weights}, {size}",
            "3:",
            "ld1 {{ v0.4s, v1.4s, v2.4s, v3.4s }}, [{bias}]",
            "ld1 {{ v4.4s, v5.4s, v6.4s, v7.4s }}, [{bias}]",
            "ld1 {{ v8.4s, v9.4s, v10.4s, v11.4s }}, [{bias}]",
            "ld1 {{ v12.4s, v13.4s, v14.4s, v15.4s }}, [{bias}]",
            "mov {p}, {a}",
            "mov {w}, {weights}",
            "4:",
            "subs {left}, {len}, #32",
            "b.lo 6f",
            "add {b}, {p}, {step}",
            "add {c}, {p}, {twice}",
            "add {d}, {b}, {twice}",
            "5:",
            "ldp q16, q17, [{p}], #32",
            "ldp q18, q19, [{b}], #32",
            "ldp q20, q21, [{c}], #32",
            "ldp q22, q23, [{d}], #32",
            "subs {left}, {left}, #32",
            four!("v16", "v18", "v20", "v22", "0"),
            four!("v16", "v18", "v20", "v22", "1"),
            four!("v16", "v18", "v20", "v22", "2"),
            four!("v16", "v18", "v20", "v22", "3"),
            four!("v17", "v19", "v21", "v23", "0"),
            four!("v17", "v19", "v21", "v23", "1"),
            four!("v17", "v19", "v21", "v23", "2"),
            four!("v17", "v19", "v21", "v23", "3"),
            "b.hs 5b",
            "6:",
            "tbz {left}, #4, 7f",
            "ldr q18, [{p}, {step}]",
            "ldr q20, [{p}, {twice}]",
            "ldr q22, [{p}, {thrice}]",
            "ldr q16, [{p}], #16",
            four!("v16", "v18", "v20", "v22", "0"),
            four!("v16", "v18", "v20", "v22", "1"),
            four!("v16", "v18", "v20", "v22", "2"),
            four!("v16", "v18", "v20", "v22", "3"),
            "7:",
            "tbz {left}, #3, 8f",
            "ldr d18, [{p}, {step}]",
            "ldr d20, [{p}, {twice}]",
            "ldr d22, [{p}, {thrice}]",
            "ldr d16, [{p}], #8",
            four!("v16", "v18", "v20", "v22", "0"),
            four!("v16", "v18", "v20", "v22", "1"),
            "8:",
            "tbz {left}, #2, 9f",
            "ldr s18, [{p}, {step}]",
            "ldr s20, [{p}, {twice}]",
            "ldr s22, [{p}, {thrice}]",
            "ldr s16, [{p}], #4",
            four!("v16", "v18", "v20", "v22", "0"),
            "9:",
            "cmp {w}, {end}",
            "b.eq 9f",
            "add {p}, {p}, {gap}",
            "b 4b",
            "9:",
            "add {a}, {a}, {step}, lsl #2",
            "subs {count}, {count}, #1",
            finish!(),
            "b.ne 3b",
            "mov {weights}, {end}",
            "add {bias}, {bias}, #64",
            "add {mantissa}, {mantissa}, #64",
            "subs {blocks}, {blocks}, #1",
            "b.ne 2b",
            tiles = in(reg) tiles,
            w = out(reg) _,
            weights = inout(reg) tiles.weights => _,
            size = in(reg) 16 * rows * row_len,
            end = out(reg) _,
            a = out(reg) _,
            p = out(reg) _,
            b = out(reg) _,
            c = out(reg) _,
            d = out(reg) _,
            step = in(reg) step,
            twice = in(reg) 2 * step,
            thrice = in(reg) 3 * step,
            len = in(reg) row_len,
            gap = in(reg) gap,
            left = out(reg) _,
            bias = inout(reg) tiles.bias => _,
            mantissa = inout(reg) tiles.mantissa => _,
            shift = inout(reg) tiles.shift => _,
            zero_point = in(reg) i32::from(tiles.finish.zero_point_bits),
            limits = in(reg) tiles.finish.limits(),
            to = out(reg) _,
            first = inout(reg) tiles.to => _,
            outputs = in(reg) tiles.outputs,
            count = out(reg) _,
            blocks = inout(reg) tiles.blocks => _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nostack),
        );
    }
}

/// As [`fours`], of eight inputs: the weights stay in registers.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn fours_of_eight(tiles: &Tiles) {
    // SAFETY: see above.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "2:",
            block!(),
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{w}], #64",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            "3:",
            "ld1 {{ v0.4s, v1.4s, v2.4s, v3.4s }}, [{bias}]",
            "ld1 {{ v28.8b }}, [{a}], {step}",
            "ld1 {{ v4.4s, v5.4s, v6.4s, v7.4s }}, [{bias}]",
            "ld1 {{ v29.8b }}, [{a}], {step}",
            "ld1 {{ v8.4s, v9.4s, v10.4s, v11.4s }}, [{bias}]",
            "ld1 {{ v30.8b }}, [{a}], {step}",
            "ld1 {{ v12.4s, v13.4s, v14.4s, v15.4s }}, [{bias}]",
            "ld1 {{ v31.8b }}, [{a}], {step}",
            four!("v0", "v4", "v8", "v12", "v16", "v28", "v29", "v30", "v31", "0"),
            four!("v1", "v5", "v9", "v13", "v17", "v28", "v29", "v30", "v31", "0"),
            four!("v2", "v6", "v10", "v14", "v18", "v28", "v29", "v30", "v31", "0"),
            four!("v3", "v7", "v11", "v15", "v19", "v28", "v29", "v30", "v31", "0"),
            four!("v0", "v4", "v8", "v12", "v20", "v28", "v29", "v30", "v31", "1"),
            four!("v1", "v5", "v9", "v13", "v21", "v28", "v29", "v30", "v31", "1"),
            four!("v2", "v6", "v10", "v14", "v22", "v28", "v29", "v30", "v31", "1"),
            four!("v3", "v7", "v11", "v15", "v23", "v28", "v29", "v30", "v31", "1"),
            "subs {count}, {count}, #1",
            finish!(),
            "b.ne 3b",
            "add {bias}, {bias}, #64",
            "add {mantissa}, {mantissa}, #64",
            "subs {blocks}, {blocks}, #1",
            "b.ne 2b",
            tiles = in(reg) tiles,
            w = inout(reg) tiles.weights => _,
            a = out(reg) _,
            step = in(reg) tiles.inputs.step,
            bias = inout(reg) tiles.bias => _,
            mantissa = inout(reg) tiles.mantissa => _,
            shift = inout(reg) tiles.shift => _,
            zero_point = in(reg) i32::from(tiles.finish.zero_point_bits),
            limits = in(reg) tiles.finish.limits(),
            to = out(reg) _,
            first = inout(reg) tiles.to => _,
            outputs = in(reg) tiles.outputs,
            count = out(reg) _,
            blocks = inout(reg) tiles.blocks => _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nostack),
        );
    }
}

/// The products of a group of one patch, in lane `$lane` of `$x`, with the next 64 weights.
macro_rules! one {
    ($x:literal, $lane:literal) => {
        concat!(
            "ld1 {{ v28.16b, v29.16b, v30.16b, v31.16b }}, [{w}], #64\n",
            "sdot v0.4s, v28.16b, ", $x, ".4b[", $lane, "]\n",
            "sdot v1.4s, v29.16b, ", $x, ".4b[", $lane, "]\n",
            "sdot v2.4s, v30.16b, ", $x, ".4b[", $lane, "]\n",
            "sdot v3.4s, v31.16b, ", $x, ".4b[", $lane, "]\n",
        )
    };
    ($x:literal) => {
        concat!(one!($x, "0"), one!($x, "1"), one!($x, "2"), one!($x, "3"))
    };
}

/// One patch and 16 outputs; the biases lie at `bias`.
///
/// # Safety
/// As of [`Multiply::sums`](crate::kernels::neon::product::Multiply::sums).
#[inline(always)]
pub(super) unsafe fn one_patch(
    weights: *const i8,
    patch: *const i8,
    inputs: &Inputs,
    bias: *const i8,
) -> [int32x4_t; 4] {
    let Inputs { rows, row_len, gap, .. } = *inputs;
    // SAFETY: see above.
    unsafe {
        let mut sums = [vdupq_n_s32(0); 4];
        asm!(
            ".arch_extension dotprod",
            "ld1 {{ v0.4s, v1.4s, v2.4s, v3.4s }}, [{bias}]",
            "2:",
            "subs {left}, {len}, #64",
            "b.lo 4f",
            "3:",
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{a}], #64",
            "subs {left}, {left}, #64",
            one!("v16"),
            one!("v17"),
            one!("v18"),
            one!("v19"),
            "b.hs 3b",
            "4:",
            "tbz {left}, #5, 5f",
            "ldp q16, q17, [{a}], #32",
            one!("v16"),
            one!("v17"),
            "5:",
            "tbz {left}, #4, 5f",
            "ldr q16, [{a}], #16",
            one!("v16"),
            "5:",
            "tbz {left}, #3, 6f",
            "ldr d16, [{a}], #8",
            one!("v16", "0"),
            one!("v16", "1"),
            "6:",
            "tbz {left}, #2, 7f",
            "ldr s16, [{a}], #4",
            one!("v16", "0"),
            "7:",
            "subs {rows}, {rows}, #1",
            "b.eq 8f",
            "add {a}, {a}, {gap}",
            "b 2b",
            "8:",
            bias = in(reg) bias,
            w = inout(reg) weights => _,
            a = inout(reg) patch => _,
            len = in(reg) row_len,
            rows = inout(reg) rows => _,
            gap = in(reg) gap,
            left = out(reg) _,
            out("v0") sums[0], out("v1") sums[1], out("v2") sums[2], out("v3") sums[3],
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(readonly, nostack),
        );
        sums
    }
}
