//! Sums of 16 outputs as one piece of assembly each: which register holds what is part of how few instructions there are.

use crate::kernels::neon::product::Inputs;
use core::arch::aarch64::*;
use core::arch::asm;

/// Adds the products of two patches' groups of inputs with two groups of weights of four outputs: the halves of the sums
/// are in `$a` and `$b` of one patch, `$c` and `$d` of the other.
macro_rules! two {
    () => {
        concat!(
            "ld2r {{ v16.4s, v17.4s }}, [{a}], #8\n",
            "ld2r {{ v18.4s, v19.4s }}, [{b}], #8\n",
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

/// Two patches and 16 outputs; `start` has what each half of the sums begins with.
///
/// # Safety
/// As of [`Multiply::sums`](crate::kernels::neon::product::Multiply::sums).
#[inline(always)]
pub(super) unsafe fn two_patches(
    weights: *const i8,
    patches: *const i8,
    inputs: &Inputs,
    start: &[[int32x4_t; 2]; 4],
) -> [[[int32x4_t; 2]; 4]; 2] {
    let Inputs { step, rows, row_len, gap } = *inputs;
    // SAFETY: see above.
    unsafe {
        let mut sums = [[[vdupq_n_s32(0); 2]; 4]; 2];
        asm!(
            "ld1 {{ v0.4s, v1.4s, v2.4s, v3.4s }}, [{low}]",
            "ld1 {{ v4.4s, v5.4s, v6.4s, v7.4s }}, [{high}]",
            "ld1 {{ v8.4s, v9.4s, v10.4s, v11.4s }}, [{low}]",
            "ld1 {{ v12.4s, v13.4s, v14.4s, v15.4s }}, [{high}]",
            "2:",
            "subs {left}, {len}, #16",
            "b.lo 4f",
            "3:",
            two!(),
            two!(),
            "subs {left}, {left}, #16",
            "b.hs 3b",
            "4:",
            "tbz {left}, #3, 5f",
            two!(),
            "5:",
            "tbz {left}, #2, 6f",
            "ld1r {{ v16.4s }}, [{a}], #4",
            "ld1r {{ v18.4s }}, [{b}], #4",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            two!("v20", "v0", "v1", "v8", "v9"),
            two!("v21", "v2", "v3", "v10", "v11"),
            two!("v22", "v4", "v5", "v12", "v13"),
            two!("v23", "v6", "v7", "v14", "v15"),
            "6:",
            "subs {rows}, {rows}, #1",
            "b.eq 7f",
            "add {a}, {a}, {gap}",
            "add {b}, {b}, {gap}",
            "b 2b",
            "7:",
            low = in(reg) start.as_ptr(),
            high = in(reg) start.as_ptr().add(2),
            w = inout(reg) weights => _,
            a = inout(reg) patches => _,
            b = inout(reg) patches.wrapping_add(step) => _,
            len = in(reg) row_len,
            rows = inout(reg) rows => _,
            gap = in(reg) gap,
            left = out(reg) _,
            out("v0") sums[0][0][0], out("v1") sums[0][0][1], out("v2") sums[0][1][0], out("v3") sums[0][1][1],
            out("v4") sums[0][2][0], out("v5") sums[0][2][1], out("v6") sums[0][3][0], out("v7") sums[0][3][1],
            out("v8") sums[1][0][0], out("v9") sums[1][0][1], out("v10") sums[1][1][0], out("v11") sums[1][1][1],
            out("v12") sums[1][2][0], out("v13") sums[1][2][1], out("v14") sums[1][3][0], out("v15") sums[1][3][1],
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(readonly, nostack),
        );
        sums
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
