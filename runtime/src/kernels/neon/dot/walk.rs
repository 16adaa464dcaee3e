//! Pairs of outputs of a depthwise filter as one piece of assembly: which register holds what is part of how few
//! instructions there are.

use crate::kernels::neon::depthwise::Pairs;
use crate::kernels::shapes::KERNEL;
use core::arch::aarch64::*;
use core::arch::asm;

/// Loads the next column: the bytes of three rows in four registers.
macro_rules! column {
    ($a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "ld1 {{ v24.16b }}, [{r0}], {s0}\n",
            "ld1 {{ v25.16b }}, [{r1}], {s1}\n",
            "ld1 {{ v26.16b }}, [{r2}], {s2}\n",
            "tbl ", $a, ".16b, {{ v24.16b, v25.16b, v26.16b }}, v28.16b\n",
            "tbl ", $b, ".16b, {{ v24.16b, v25.16b, v26.16b }}, v29.16b\n",
            "tbl ", $c, ".16b, {{ v24.16b, v25.16b, v26.16b }}, v30.16b\n",
            "tbl ", $d, ".16b, {{ v24.16b, v25.16b, v26.16b }}, v31.16b\n",
        )
    };
}

/// What the sums of two outputs begin with.
macro_rules! start {
    () => {
        concat!(
            "ld1 {{ v16.4s, v17.4s, v18.4s, v19.4s }}, [{bias}]\n",
            "ld1 {{ v20.4s, v21.4s, v22.4s, v23.4s }}, [{bias}]\n",
        )
    };
}

/// Adds the products of a column of the kernel, which lies at `$w`, with a column of each of two windows.
macro_rules! products {
    ($w:literal, $a:literal, $b:literal, $c:literal, $d:literal, $e:literal, $f:literal, $g:literal, $h:literal) => {
        concat!(
            "ld1 {{ v24.16b, v25.16b, v26.16b, v27.16b }}, [", $w, "]\n",
            "sdot v16.4s, v24.16b, ", $a, ".16b\n",
            "sdot v20.4s, v24.16b, ", $e, ".16b\n",
            "sdot v17.4s, v25.16b, ", $b, ".16b\n",
            "sdot v21.4s, v25.16b, ", $f, ".16b\n",
            "sdot v18.4s, v26.16b, ", $c, ".16b\n",
            "sdot v22.4s, v26.16b, ", $g, ".16b\n",
            "sdot v19.4s, v27.16b, ", $d, ".16b\n",
            "sdot v23.4s, v27.16b, ", $h, ".16b\n",
        )
    };
}

/// From the sums of two outputs to values that are stored, with five registers to work in.
macro_rules! finish {
    ($a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "ld1 {{ v24.4s, v25.4s, v26.4s, v27.4s }}, [{mantissa}]\n",
            "ld1 {{ ", $a, ".4s, ", $b, ".4s, ", $c, ".4s, ", $d, ".4s }}, [{shifts}]\n",
            "sqdmulh v16.4s, v16.4s, v24.4s\n",
            "sqdmulh v20.4s, v20.4s, v24.4s\n",
            "sqdmulh v17.4s, v17.4s, v25.4s\n",
            "sqdmulh v21.4s, v21.4s, v25.4s\n",
            "sqdmulh v18.4s, v18.4s, v26.4s\n",
            "sqdmulh v22.4s, v22.4s, v26.4s\n",
            "sqdmulh v19.4s, v19.4s, v27.4s\n",
            "sqdmulh v23.4s, v23.4s, v27.4s\n",
            "dup v24.8h, {zero_point:w}\n",
            "sqshl v16.4s, v16.4s, ", $a, ".4s\n",
            "sqshl v20.4s, v20.4s, ", $a, ".4s\n",
            "sqshl v17.4s, v17.4s, ", $b, ".4s\n",
            "sqshl v21.4s, v21.4s, ", $b, ".4s\n",
            "sqshl v18.4s, v18.4s, ", $c, ".4s\n",
            "sqshl v22.4s, v22.4s, ", $c, ".4s\n",
            "sqshl v19.4s, v19.4s, ", $d, ".4s\n",
            "sqshl v23.4s, v23.4s, ", $d, ".4s\n",
            "uzp2 v16.8h, v16.8h, v17.8h\n",
            "uzp2 v20.8h, v20.8h, v21.8h\n",
            "uzp2 v18.8h, v18.8h, v19.8h\n",
            "uzp2 v22.8h, v22.8h, v23.8h\n",
            "sqadd v16.8h, v16.8h, v24.8h\n",
            "sqadd v20.8h, v20.8h, v24.8h\n",
            "sqadd v18.8h, v18.8h, v24.8h\n",
            "sqadd v22.8h, v22.8h, v24.8h\n",
            "sqrshrn v16.8b, v16.8h, #6\n",
            "sqrshrn v20.8b, v20.8h, #6\n",
            "sqrshrn2 v16.16b, v18.8h, #6\n",
            "sqrshrn2 v20.16b, v22.8h, #6\n",
            "cbz {limits}, 9f\n",
            "ld1 {{ v24.16b, v25.16b }}, [{limits}]\n",
            "smax v16.16b, v16.16b, v24.16b\n",
            "smax v20.16b, v20.16b, v24.16b\n",
            "smin v16.16b, v16.16b, v25.16b\n",
            "smin v20.16b, v20.16b, v25.16b\n",
            "9:\n",
            "st1 {{ v16.16b }}, [{to}], {step}\n",
            "st1 {{ v20.16b }}, [{to}], {step}\n",
        )
    };
}

/// Two outputs side by side: of the columns `$a` to `$d` of four registers each, the last two are loaded.
macro_rules! pair {
    ($a0:literal, $a1:literal, $a2:literal, $a3:literal, $b0:literal, $b1:literal, $b2:literal, $b3:literal,
     $c0:literal, $c1:literal, $c2:literal, $c3:literal, $d0:literal, $d1:literal, $d2:literal, $d3:literal) => {
        concat!(
            column!($c0, $c1, $c2, $c3),
            column!($d0, $d1, $d2, $d3),
            start!(),
            products!("{w0}", $a0, $a1, $a2, $a3, $b0, $b1, $b2, $b3),
            products!("{w1}", $b0, $b1, $b2, $b3, $c0, $c1, $c2, $c3),
            products!("{w2}", $c0, $c1, $c2, $c3, $d0, $d1, $d2, $d3),
            finish!($a0, $a1, $a2, $a3),
        )
    };
}

/// Two outputs two columns apart: `$a` is their first column, `$b` becomes that of the next two.
macro_rules! pair_of_two {
    ($a0:literal, $a1:literal, $a2:literal, $a3:literal, $b0:literal, $b1:literal, $b2:literal, $b3:literal) => {
        concat!(
            column!($b0, $b1, $b2, $b3),
            column!("v8", "v9", "v10", "v11"),
            start!(),
            products!("{w0}", $a0, $a1, $a2, $a3, "v8", "v9", "v10", "v11"),
            column!($a0, $a1, $a2, $a3),
            products!("{w1}", $b0, $b1, $b2, $b3, $a0, $a1, $a2, $a3),
            column!($b0, $b1, $b2, $b3),
            products!("{w2}", "v8", "v9", "v10", "v11", $b0, $b1, $b2, $b3),
            finish!($a0, $a1, $a2, $a3),
        )
    };
}

/// Where the first four lanes find their bytes in 48: those of a channel in each row, and beyond the end, where 0 is.
pub(super) const ORDER: [u8; 16] = [0, 16, 32, 255, 1, 17, 33, 255, 2, 18, 34, 255, 3, 19, 35, 255];

macro_rules! walk {
    ($pairs:ident, $weights:ident, $order:ident, $columns:ident, $($text:tt)*) => {
        asm!(
            ".arch_extension dotprod",
            $($text)*
            r0 = inout(reg) $pairs.rows[0].0 => _,
            r1 = inout(reg) $pairs.rows[1].0 => _,
            r2 = inout(reg) $pairs.rows[2].0 => _,
            s0 = in(reg) $pairs.rows[0].1,
            s1 = in(reg) $pairs.rows[1].1,
            s2 = in(reg) $pairs.rows[2].1,
            w0 = in(reg) $weights[0],
            w1 = in(reg) $weights[1],
            w2 = in(reg) $weights[2],
            bias = in(reg) $pairs.bias,
            mantissa = in(reg) $pairs.mantissa,
            shifts = in(reg) $pairs.shifts,
            zero_point = in(reg) i32::from($pairs.finish.zero_point_bits),
            limits = in(reg) $pairs.finish.limits(),
            to = inout(reg) $pairs.to => _,
            step = in(reg) $pairs.step,
            count = inout(reg) $pairs.count => _,
            inout("v0") $columns[0][0], inout("v1") $columns[0][1],
            inout("v2") $columns[0][2], inout("v3") $columns[0][3],
            inout("v4") $columns[1][0], inout("v5") $columns[1][1],
            inout("v6") $columns[1][2], inout("v7") $columns[1][3],
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            in("v28") $order[0], in("v29") $order[1], in("v30") $order[2], in("v31") $order[3],
            options(nostack),
        )
    };
}

/// Pairs of outputs side by side; the first two columns of the next.
///
/// # Safety
/// As of [`Filter::pairs`](crate::kernels::neon::depthwise::Filter::pairs).
#[inline(always)]
pub(super) unsafe fn side_by_side(
    pairs: &Pairs<'_>,
    weights: [*const i8; KERNEL],
    order: [uint8x16_t; 4],
    mut columns: [[int8x16_t; 4]; 2],
) -> [[int8x16_t; 4]; 2] {
    // SAFETY: see above.
    unsafe {
        walk!(
            pairs, weights, order, columns,
            "2:",
            pair!("v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
                "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15"),
            "subs {count}, {count}, #1",
            "b.eq 3f",
            pair!("v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
                "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"),
            "subs {count}, {count}, #1",
            "b.ne 2b",
            "b 4f",
            "3:",
            "mov v0.16b, v8.16b",
            "mov v1.16b, v9.16b",
            "mov v2.16b, v10.16b",
            "mov v3.16b, v11.16b",
            "mov v4.16b, v12.16b",
            "mov v5.16b, v13.16b",
            "mov v6.16b, v14.16b",
            "mov v7.16b, v15.16b",
            "4:",
        );
    }
    columns
}

/// Pairs of outputs two columns apart; the first column of the next.
///
/// # Safety
/// As of [`Filter::pairs`](crate::kernels::neon::depthwise::Filter::pairs).
#[inline(always)]
pub(super) unsafe fn two_apart(
    pairs: &Pairs<'_>,
    weights: [*const i8; KERNEL],
    order: [uint8x16_t; 4],
    mut columns: [[int8x16_t; 4]; 2],
) -> [[int8x16_t; 4]; 2] {
    // SAFETY: see above.
    unsafe {
        walk!(
            pairs, weights, order, columns,
            "2:",
            pair_of_two!("v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"),
            "subs {count}, {count}, #1",
            "b.eq 3f",
            pair_of_two!("v4", "v5", "v6", "v7", "v0", "v1", "v2", "v3"),
            "subs {count}, {count}, #1",
            "b.ne 2b",
            "b 4f",
            "3:",
            "mov v0.16b, v4.16b",
            "mov v1.16b, v5.16b",
            "mov v2.16b, v6.16b",
            "mov v3.16b, v7.16b",
            "4:",
        );
    }
    columns
}
