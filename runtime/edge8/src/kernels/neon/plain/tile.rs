//! Sums of 16 outputs as one piece of assembly each: which register holds what is part of how few instructions there are.

use crate::kernels::neon::product::{Inputs, Tiles};
use core::arch::aarch64::*;
use core::arch::asm;
use core::mem::MaybeUninit;

/// Adds the products of two patches' groups of inputs with two groups of weights of four outputs: the halves of the sums
/// are in `$a` and `$b` of one patch, `$c` and `$d` of the other.
macro_rules! two {
    ($x:literal, $y:literal) => {
        concat!(
            "ld2r {{ v16.4s, v17.4s }}, [", $x, "], #8\n",
            "ld2r {{ v18.4s, v19.4s }}, [", $y, "], #8\n",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64\n",
            "ld1 {{ v24.16b, v25.16b, v26.16b, v27.16b }}, [{w}], #64\n",
            two!("v20", "v24", "v0", "v1", "v8", "v9"),
            two!("v21", "v25", "v2", "v3", "v10", "v11"),
            two!("v22", "v26", "v4", "v5", "v12", "v13"),
            two!("v23", "v27", "v6", "v7", "v14", "v15"),
        )
    };
    ($w:literal, $next:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "smull v28.8h, ", $w, ".8b, v16.8b\n",
            "smull v30.8h, ", $w, ".8b, v18.8b\n",
            "smull2 v29.8h, ", $w, ".16b, v16.16b\n",
            "smull2 v31.8h, ", $w, ".16b, v18.16b\n",
            "smlal v28.8h, ", $next, ".8b, v17.8b\n",
            "smlal v30.8h, ", $next, ".8b, v19.8b\n",
            "smlal2 v29.8h, ", $next, ".16b, v17.16b\n",
            "smlal2 v31.8h, ", $next, ".16b, v19.16b\n",
            two!($a, $b, $c, $d),
        )
    };
    // The same with one group.
    ($w:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "smull v28.8h, ", $w, ".8b, v16.8b\n",
            "smull v30.8h, ", $w, ".8b, v18.8b\n",
            "smull2 v29.8h, ", $w, ".16b, v16.16b\n",
            "smull2 v31.8h, ", $w, ".16b, v18.16b\n",
            two!($a, $b, $c, $d),
        )
    };
    ($a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "sadalp ", $a, ".4s, v28.8h\n",
            "sadalp ", $c, ".4s, v30.8h\n",
            "sadalp ", $b, ".4s, v29.8h\n",
            "sadalp ", $d, ".4s, v31.8h\n",
        )
    };
}

/// What is done once for a block of outputs: what sums begin with and the shifts to memory, its patches and its place in
/// the output.
macro_rules! block {
    () => {
        concat!(
            "ld1 {{ v0.4s, v1.4s, v2.4s, v3.4s }}, [{bias}], #64\n",
            "movi v4.2d, #0\n",
            "ldr q28, [{shift}], #16\n",
            "movi v29.16b, #22\n",
            "ldp {a}, {count}, [{tiles}]\n",
            "mov {to}, {first}\n",
            "add {first}, {first}, #16\n",
            "zip1 v8.4s, v0.4s, v4.4s\n",
            "zip2 v9.4s, v0.4s, v4.4s\n",
            "zip1 v10.4s, v1.4s, v4.4s\n",
            "zip2 v11.4s, v1.4s, v4.4s\n",
            "zip1 v12.4s, v2.4s, v4.4s\n",
            "zip2 v13.4s, v2.4s, v4.4s\n",
            "zip1 v14.4s, v3.4s, v4.4s\n",
            "zip2 v15.4s, v3.4s, v4.4s\n",
            "add v28.16b, v28.16b, v29.16b\n",
            "st1 {{ v8.4s, v9.4s, v10.4s, v11.4s }}, [{low}]\n",
            "st1 {{ v12.4s, v13.4s, v14.4s, v15.4s }}, [{high}]\n",
            "sshll v29.8h, v28.8b, #0\n",
            "sshll2 v28.8h, v28.16b, #0\n",
            "sshll v0.4s, v29.4h, #0\n",
            "sshll2 v1.4s, v29.8h, #0\n",
            "sshll v2.4s, v28.4h, #0\n",
            "sshll2 v3.4s, v28.8h, #0\n",
            "st1 {{ v0.4s, v1.4s, v2.4s, v3.4s }}, [{shifts}]\n",
        )
    };
}

/// What the sums of two patches begin with.
macro_rules! start {
    () => {
        concat!(
            "ld1 {{ v0.4s, v1.4s, v2.4s, v3.4s }}, [{low}]\n",
            "ld1 {{ v4.4s, v5.4s, v6.4s, v7.4s }}, [{high}]\n",
            "ld1 {{ v8.4s, v9.4s, v10.4s, v11.4s }}, [{low}]\n",
            "ld1 {{ v12.4s, v13.4s, v14.4s, v15.4s }}, [{high}]\n",
        )
    };
}

/// The four sums of a patch from its four registers to 16 values in the first two.
macro_rules! rescale {
    ($a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "sqdmulh ", $a, ".4s, ", $a, ".4s, v8.4s\n",
            "sqdmulh ", $b, ".4s, ", $b, ".4s, v9.4s\n",
            "sqdmulh ", $c, ".4s, ", $c, ".4s, v10.4s\n",
            "sqdmulh ", $d, ".4s, ", $d, ".4s, v11.4s\n",
            "sqshl ", $a, ".4s, ", $a, ".4s, v12.4s\n",
            "sqshl ", $b, ".4s, ", $b, ".4s, v13.4s\n",
            "sqshl ", $c, ".4s, ", $c, ".4s, v14.4s\n",
            "sqshl ", $d, ".4s, ", $d, ".4s, v15.4s\n",
            "uzp2 ", $a, ".8h, ", $a, ".8h, ", $b, ".8h\n",
            "uzp2 ", $b, ".8h, ", $c, ".8h, ", $d, ".8h\n",
        )
    };
}

/// From halves of sums to values that are stored: see [`Rescale`](crate::kernels::neon::rescale::Rescale) and
/// [`Finish`](crate::kernels::neon::rescale::Finish).
macro_rules! finish {
    () => {
        concat!(
            "addp v0.4s, v0.4s, v1.4s\n",
            "addp v1.4s, v2.4s, v3.4s\n",
            "addp v2.4s, v4.4s, v5.4s\n",
            "addp v3.4s, v6.4s, v7.4s\n",
            "addp v4.4s, v8.4s, v9.4s\n",
            "addp v5.4s, v10.4s, v11.4s\n",
            "addp v6.4s, v12.4s, v13.4s\n",
            "addp v7.4s, v14.4s, v15.4s\n",
            "ld1 {{ v8.4s, v9.4s, v10.4s, v11.4s }}, [{mantissa}]\n",
            "ld1 {{ v12.4s, v13.4s, v14.4s, v15.4s }}, [{shifts}]\n",
            rescale!("v0", "v1", "v2", "v3"),
            rescale!("v4", "v5", "v6", "v7"),
            "dup v28.8h, {zero_point:w}\n",
            "sqadd v0.8h, v0.8h, v28.8h\n",
            "sqadd v4.8h, v4.8h, v28.8h\n",
            "sqadd v1.8h, v1.8h, v28.8h\n",
            "sqadd v5.8h, v5.8h, v28.8h\n",
            "sqrshrn v0.8b, v0.8h, #6\n",
            "sqrshrn v4.8b, v4.8h, #6\n",
            "sqrshrn2 v0.16b, v1.8h, #6\n",
            "sqrshrn2 v4.16b, v5.8h, #6\n",
            "cbz {limits}, 9f\n",
            "ld1 {{ v28.16b, v29.16b }}, [{limits}]\n",
            "smax v0.16b, v0.16b, v28.16b\n",
            "smax v4.16b, v4.16b, v28.16b\n",
            "smin v0.16b, v0.16b, v29.16b\n",
            "smin v4.16b, v4.16b, v29.16b\n",
            "9:\n",
            "st1 {{ v0.16b }}, [{to}], {outputs}\n",
            "st1 {{ v4.16b }}, [{to}], {outputs}\n",
        )
    };
}

/// Patches of two, and blocks of 16 outputs.
///
/// # Safety
/// As of [`Multiply::tiles`](crate::kernels::neon::product::Multiply::tiles).
#[inline(always)]
pub(super) unsafe fn twos(tiles: &Tiles) {
    let Inputs { step, rows, row_len, gap } = tiles.inputs;
    let mut memory = [MaybeUninit::<int32x4_t>::uninit(); 12];
    let low = memory.as_mut_ptr();
    let (high, shifts) = (low.wrapping_add(4), low.wrapping_add(8));
    // SAFETY: see above.
    unsafe {
        if (rows, row_len) == (1, 8) {
            return twos_of_eight(tiles, [low, high, shifts]);
        }
        asm!(
            "2:",
            block!(),
            "add {end}, {weights}, {size}",
            "3:",
            start!(),
            "mov {p}, {a}",
            "mov {w}, {weights}",
            "4:",
            "add {b}, {p}, {step}",
            "subs {left}, {len}, #16",
            "b.lo 6f",
            "5:",
            two!("{p}", "{b}"),
            two!("{p}", "{b}"),
            "subs {left}, {left}, #16",
            "b.hs 5b",
            "6:",
            "tbz {left}, #3, 7f",
            two!("{p}", "{b}"),
            "7:",
            "tbz {left}, #2, 8f",
            "ld1r {{ v16.4s }}, [{p}], #4",
            "ld1r {{ v18.4s }}, [{b}], #4",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            two!("v20", "v0", "v1", "v8", "v9"),
            two!("v21", "v2", "v3", "v10", "v11"),
            two!("v22", "v4", "v5", "v12", "v13"),
            two!("v23", "v6", "v7", "v14", "v15"),
            "8:",
            "cmp {w}, {end}",
            "b.eq 8f",
            "add {p}, {p}, {gap}",
            "b 4b",
            "8:",
            "add {a}, {a}, {step}, lsl #1",
            "subs {count}, {count}, #1",
            finish!(),
            "b.ne 3b",
            "mov {weights}, {end}",
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
            step = in(reg) step,
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
            low = in(reg) low,
            high = in(reg) high,
            shifts = in(reg) shifts,
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

/// As [`twos`], of eight inputs: the weights stay in registers.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn twos_of_eight(tiles: &Tiles, [low, high, shifts]: [*mut MaybeUninit<int32x4_t>; 3]) {
    // SAFETY: see above.
    unsafe {
        asm!(
            "2:",
            block!(),
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            "ld1 {{ v24.16b, v25.16b, v26.16b, v27.16b }}, [{w}], #64",
            "3:",
            "ld2r {{ v16.4s, v17.4s }}, [{a}], {step}",
            "ld2r {{ v18.4s, v19.4s }}, [{a}], {step}",
            start!(),
            two!("v20", "v24", "v0", "v1", "v8", "v9"),
            two!("v21", "v25", "v2", "v3", "v10", "v11"),
            two!("v22", "v26", "v4", "v5", "v12", "v13"),
            two!("v23", "v27", "v6", "v7", "v14", "v15"),
            "subs {count}, {count}, #1",
            finish!(),
            "b.ne 3b",
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
            low = in(reg) low,
            high = in(reg) high,
            shifts = in(reg) shifts,
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

/// Adds the products of a patch's groups of inputs with two groups of weights.
macro_rules! one {
    ($x:literal, $y:literal) => {
        concat!(
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64\n",
            "ld1 {{ v24.16b, v25.16b, v26.16b, v27.16b }}, [{w}], #64\n",
            one!("v20", "v21", "v24", "v25", $x, $y, "v0", "v1", "v2", "v3"),
            one!("v22", "v23", "v26", "v27", $x, $y, "v4", "v5", "v6", "v7"),
        )
    };
    ($w:literal, $v:literal, $next:literal, $then:literal, $x:literal, $y:literal,
     $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "smull v28.8h, ", $w, ".8b, ", $x, ".8b\n",
            "smull v30.8h, ", $v, ".8b, ", $x, ".8b\n",
            "smull2 v29.8h, ", $w, ".16b, ", $x, ".16b\n",
            "smull2 v31.8h, ", $v, ".16b, ", $x, ".16b\n",
            "smlal v28.8h, ", $next, ".8b, ", $y, ".8b\n",
            "smlal v30.8h, ", $then, ".8b, ", $y, ".8b\n",
            "smlal2 v29.8h, ", $next, ".16b, ", $y, ".16b\n",
            "smlal2 v31.8h, ", $then, ".16b, ", $y, ".16b\n",
            two!($a, $b, $c, $d),
        )
    };
    ($w:literal, $v:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "smull v28.8h, ", $w, ".8b, v16.8b\n",
            "smull v30.8h, ", $v, ".8b, v16.8b\n",
            "smull2 v29.8h, ", $w, ".16b, v16.16b\n",
            "smull2 v31.8h, ", $v, ".16b, v16.16b\n",
            two!($a, $b, $c, $d),
        )
    };
}

/// One patch and 16 outputs; `start` has what each half of the sums begins with.
///
/// # Safety
/// As of [`Multiply::sums`](crate::kernels::neon::product::Multiply::sums).
#[inline(always)]
pub(super) unsafe fn one_patch(
    weights: *const i8,
    patch: *const i8,
    inputs: &Inputs,
    start: &[[int32x4_t; 2]; 4],
) -> [[int32x4_t; 2]; 4] {
    let Inputs { rows, row_len, gap, .. } = *inputs;
    let mut sums = *start;
    // SAFETY: see above.
    unsafe {
        asm!(
            "2:",
            "subs {left}, {len}, #16",
            "b.lo 4f",
            "3:",
            "ld4r {{ v16.4s, v17.4s, v18.4s, v19.4s }}, [{a}], #16",
            "subs {left}, {left}, #16",
            one!("v16", "v17"),
            one!("v18", "v19"),
            "b.hs 3b",
            "4:",
            "tbz {left}, #3, 5f",
            "ld2r {{ v16.4s, v17.4s }}, [{a}], #8",
            one!("v16", "v17"),
            "5:",
            "tbz {left}, #2, 6f",
            "ld1r {{ v16.4s }}, [{a}], #4",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            one!("v20", "v21", "v0", "v1", "v2", "v3"),
            one!("v22", "v23", "v4", "v5", "v6", "v7"),
            "6:",
            "subs {rows}, {rows}, #1",
            "b.eq 7f",
            "add {a}, {a}, {gap}",
            "b 2b",
            "7:",
            w = inout(reg) weights => _,
            a = inout(reg) patch => _,
            len = in(reg) row_len,
            rows = inout(reg) rows => _,
            gap = in(reg) gap,
            left = out(reg) _,
            inout("v0") sums[0][0], inout("v1") sums[0][1], inout("v2") sums[1][0], inout("v3") sums[1][1],
            inout("v4") sums[2][0], inout("v5") sums[2][1], inout("v6") sums[3][0], inout("v7") sums[3][1],
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(readonly, nostack),
        );
    }
    sums
}
