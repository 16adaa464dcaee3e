//! Sums of 16 outputs as one piece of assembly each: which register holds what is part of how few instructions there are.

use crate::kernels::neon::product::Inputs;
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

/// Four patches and 16 outputs; the biases lie at `bias`.
///
/// # Safety
/// As of [`Multiply::sums`](crate::kernels::neon::product::Multiply::sums).
#[inline(always)]
pub(super) unsafe fn four_patches(
    weights: *const i8,
    patches: *const i8,
    inputs: &Inputs,
    bias: *const i8,
) -> [[int32x4_t; 4]; 4] {
    let Inputs { step, rows, row_len, gap } = *inputs;
    let (second, third) = (patches.wrapping_add(step), patches.wrapping_add(2 * step));
    let fourth = third.wrapping_add(step);
    let mut sums = [[unsafe { vdupq_n_s32(0) }; 4]; 4];
    // SAFETY: see above.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "ld1 {{ v0.4s, v1.4s, v2.4s, v3.4s }}, [{bias}]",
            "ld1 {{ v4.4s, v5.4s, v6.4s, v7.4s }}, [{bias}]",
            "ld1 {{ v8.4s, v9.4s, v10.4s, v11.4s }}, [{bias}]",
            "ld1 {{ v12.4s, v13.4s, v14.4s, v15.4s }}, [{bias}]",
            "2:",
            "subs {left}, {len}, #32",
            "b.lo 4f",
            "3:",
            "ldp q16, q17, [{a}], #32",
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
            "b.hs 3b",
            "4:",
            "tbz {left}, #4, 5f",
            "ldr q16, [{a}], #16",
            "ldr q18, [{b}], #16",
            "ldr q20, [{c}], #16",
            "ldr q22, [{d}], #16",
            four!("v16", "v18", "v20", "v22", "0"),
            four!("v16", "v18", "v20", "v22", "1"),
            four!("v16", "v18", "v20", "v22", "2"),
            four!("v16", "v18", "v20", "v22", "3"),
            "5:",
            "tbz {left}, #3, 6f",
            "ldr d16, [{a}], #8",
            "ldr d18, [{b}], #8",
            "ldr d20, [{c}], #8",
            "ldr d22, [{d}], #8",
            four!("v16", "v18", "v20", "v22", "0"),
            four!("v16", "v18", "v20", "v22", "1"),
            "6:",
            "tbz {left}, #2, 7f",
            "ldr s16, [{a}], #4",
            "ldr s18, [{b}], #4",
            "ldr s20, [{c}], #4",
            "ldr s22, [{d}], #4",
            four!("v16", "v18", "v20", "v22", "0"),
            "7:",
            "subs {rows}, {rows}, #1",
            "b.eq 8f",
            "add {a}, {a}, {gap}",
            "add {b}, {b}, {gap}",
            "add {c}, {c}, {gap}",
            "add {d}, {d}, {gap}",
            "b 2b",
            "8:",
            bias = in(reg) bias,
            w = inout(reg) weights => _,
            a = inout(reg) patches => _,
            b = inout(reg) second => _,
            c = inout(reg) third => _,
            d = inout(reg) fourth => _,
            len = in(reg) row_len,
            rows = inout(reg) rows => _,
            gap = in(reg) gap,
            left = out(reg) _,
            out("v0") sums[0][0], out("v1") sums[0][1], out("v2") sums[0][2], out("v3") sums[0][3],
            out("v4") sums[1][0], out("v5") sums[1][1], out("v6") sums[1][2], out("v7") sums[1][3],
            out("v8") sums[2][0], out("v9") sums[2][1], out("v10") sums[2][2], out("v11") sums[2][3],
            out("v12") sums[3][0], out("v13") sums[3][1], out("v14") sums[3][2], out("v15") sums[3][3],
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(readonly, nostack),
        );
    }
    sums
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
    let mut sums = [unsafe { vdupq_n_s32(0) }; 4];
    // SAFETY: see above.
    unsafe {
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
    }
    sums
}
