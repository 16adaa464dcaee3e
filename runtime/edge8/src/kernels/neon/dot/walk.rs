//! A row of a depthwise filter as one piece of assembly: which register holds what is part of how few instructions there are.

use crate::kernels::neon::depthwise::Blocks;
use core::arch::aarch64::*;
use core::arch::asm;
use core::mem::MaybeUninit;

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

/// As [`products`], with a column of one window.
macro_rules! products_of_one {
    ($w:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "ld1 {{ v24.16b, v25.16b, v26.16b, v27.16b }}, [", $w, "]\n",
            "sdot v16.4s, v24.16b, ", $a, ".16b\n",
            "sdot v17.4s, v25.16b, ", $b, ".16b\n",
            "sdot v18.4s, v26.16b, ", $c, ".16b\n",
            "sdot v19.4s, v27.16b, ", $d, ".16b\n",
        )
    };
}

/// The last output, whose third column is padding: the first two are `$a` and `$b`.
macro_rules! last {
    ($a0:literal, $a1:literal, $a2:literal, $a3:literal, $b0:literal, $b1:literal, $b2:literal, $b3:literal) => {
        concat!(
            "ld1 {{ v16.4s, v17.4s, v18.4s, v19.4s }}, [{bias}]\n",
            "dup v20.16b, {pad:w}\n",
            products_of_one!("{w0}", $a0, $a1, $a2, $a3),
            products_of_one!("{w1}", $b0, $b1, $b2, $b3),
            products_of_one!("{w2}", "v20", "v20", "v20", "v20"),
            "ld1 {{ v24.4s, v25.4s, v26.4s, v27.4s }}, [{mantissa}]\n",
            "ld1 {{ v20.4s, v21.4s, v22.4s, v23.4s }}, [{shifts}]\n",
            "sqdmulh v16.4s, v16.4s, v24.4s\n",
            "sqdmulh v17.4s, v17.4s, v25.4s\n",
            "sqdmulh v18.4s, v18.4s, v26.4s\n",
            "sqdmulh v19.4s, v19.4s, v27.4s\n",
            "dup v24.8h, {zero_point:w}\n",
            "sqshl v16.4s, v16.4s, v20.4s\n",
            "sqshl v17.4s, v17.4s, v21.4s\n",
            "sqshl v18.4s, v18.4s, v22.4s\n",
            "sqshl v19.4s, v19.4s, v23.4s\n",
            "uzp2 v16.8h, v16.8h, v17.8h\n",
            "uzp2 v18.8h, v18.8h, v19.8h\n",
            "sqadd v16.8h, v16.8h, v24.8h\n",
            "sqadd v18.8h, v18.8h, v24.8h\n",
            "sqrshrn v16.8b, v16.8h, #6\n",
            "sqrshrn2 v16.16b, v18.8h, #6\n",
            "cbz {limits}, 9f\n",
            "ld1 {{ v24.16b, v25.16b }}, [{limits}]\n",
            "smax v16.16b, v16.16b, v24.16b\n",
            "smin v16.16b, v16.16b, v25.16b\n",
            "9:\n",
            "st1 {{ v16.16b }}, [{to}]\n",
        )
    };
}

/// The last two outputs of stride 1: the last column is padding, the one before it is loaded.
macro_rules! last_pair {
    ($a0:literal, $a1:literal, $a2:literal, $a3:literal, $b0:literal, $b1:literal, $b2:literal, $b3:literal,
     $c0:literal, $c1:literal, $c2:literal, $c3:literal, $d:literal) => {
        concat!(
            column!($c0, $c1, $c2, $c3),
            start!(),
            "dup ", $d, ".16b, {pad:w}\n",
            products!("{w0}", $a0, $a1, $a2, $a3, $b0, $b1, $b2, $b3),
            products!("{w1}", $b0, $b1, $b2, $b3, $c0, $c1, $c2, $c3),
            products!("{w2}", $c0, $c1, $c2, $c3, $d, $d, $d, $d),
            finish!($a0, $a1, $a2, $a3),
        )
    };
}

/// The last two outputs of stride 2: the last column is padding, those before it are loaded.
macro_rules! last_pair_of_two {
    ($a0:literal, $a1:literal, $a2:literal, $a3:literal, $b0:literal, $b1:literal, $b2:literal, $b3:literal) => {
        concat!(
            column!($b0, $b1, $b2, $b3),
            column!("v8", "v9", "v10", "v11"),
            start!(),
            products!("{w0}", $a0, $a1, $a2, $a3, "v8", "v9", "v10", "v11"),
            column!($a0, $a1, $a2, $a3),
            products!("{w1}", $b0, $b1, $b2, $b3, $a0, $a1, $a2, $a3),
            "dup v12.16b, {pad:w}\n",
            products!("{w2}", "v8", "v9", "v10", "v11", "v12", "v12", "v12", "v12"),
            finish!($a0, $a1, $a2, $a3),
        )
    };
}

/// What is done once for a block: shifts to memory, the place of the outputs.
macro_rules! block {
    () => {
        concat!(
            "ldr q0, [{shift}], #16\n",
            "movi v1.16b, #22\n",
            "mov {to}, {first}\n",
            "mov {count}, {pairs}\n",
            "add {first}, {first}, #16\n",
            "add v0.16b, v0.16b, v1.16b\n",
            "sshll v1.8h, v0.8b, #0\n",
            "sshll2 v2.8h, v0.16b, #0\n",
            "sshll v4.4s, v1.4h, #0\n",
            "sshll2 v5.4s, v1.8h, #0\n",
            "sshll v6.4s, v2.4h, #0\n",
            "sshll2 v7.4s, v2.8h, #0\n",
            "st1 {{ v4.4s, v5.4s, v6.4s, v7.4s }}, [{shifts}]\n",
        )
    };
}

/// On to the next block.
macro_rules! next {
    () => {
        concat!(
            "ldp {to}, {count}, [{back}]\n",
            "add {r0}, {r0}, {to}\n",
            "ldr {to}, [{back}, #16]\n",
            "add {r1}, {r1}, {count}\n",
            "add {r2}, {r2}, {to}\n",
            "add {w0}, {w0}, #64\n",
            "add {w1}, {w1}, #64\n",
            "add {w2}, {w2}, #64\n",
            "add {bias}, {bias}, #64\n",
            "add {mantissa}, {mantissa}, #64\n",
            "subs {blocks}, {blocks}, #1\n",
            "b.ne 2b\n",
        )
    };
}

macro_rules! row {
    ($of:ident, $order:ident, $shifts:ident, $($text:tt)*) => {
        asm!(
            ".arch_extension dotprod",
            $($text)*
            r0 = inout(reg) $of.rows[0].0 => _,
            r1 = inout(reg) $of.rows[1].0 => _,
            r2 = inout(reg) $of.rows[2].0 => _,
            s0 = in(reg) $of.rows[0].1,
            s1 = in(reg) $of.rows[1].1,
            s2 = in(reg) $of.rows[2].1,
            back = in(reg) $of.back.as_ptr(),
            w0 = inout(reg) $of.weights => _,
            w1 = inout(reg) $of.weights.wrapping_add(4 * $of.step) => _,
            w2 = inout(reg) $of.weights.wrapping_add(8 * $of.step) => _,
            bias = inout(reg) $of.bias => _,
            mantissa = inout(reg) $of.mantissa => _,
            shift = inout(reg) $of.shift => _,
            shifts = in(reg) $shifts,
            zero_point = in(reg) i32::from($of.finish.zero_point_bits),
            pad = in(reg) i32::from($of.padding),
            limits = in(reg) $of.finish.limits(),
            to = out(reg) _,
            first = inout(reg) $of.to => _,
            step = in(reg) $of.step,
            count = out(reg) _,
            pairs = in(reg) ($of.width - 1) / 2,
            width = in(reg) $of.width,
            blocks = inout(reg) $of.blocks => _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
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

/// Blocks of 16 channels of a row, of stride 1 or 2.
///
/// # Safety
/// As of [`Filter::blocks`](crate::kernels::neon::depthwise::Filter::blocks).
#[inline(always)]
pub(super) unsafe fn blocks(of: &Blocks, order: [uint8x16_t; 4]) {
    let mut memory = [MaybeUninit::<int32x4_t>::uninit(); 4];
    let shifts = memory.as_mut_ptr();
    // SAFETY: see above.
    unsafe {
        if of.stride == 1 {
            row!(
                of, order, shifts,
                "2:",
                block!(),
                "dup v0.16b, {pad:w}",
                "dup v1.16b, {pad:w}",
                "dup v2.16b, {pad:w}",
                "dup v3.16b, {pad:w}",
                column!("v4", "v5", "v6", "v7"),
                "cbz {count}, 4f",
                "3:",
                pair!("v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
                    "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15"),
                "subs {count}, {count}, #1",
                "b.eq 6f",
                pair!("v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
                    "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"),
                "subs {count}, {count}, #1",
                "b.ne 3b",
                "4:",
                "tbnz {width}, #0, 5f",
                last_pair!("v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
                    "v8", "v9", "v10", "v11", "v12"),
                "b 8f",
                "5:",
                last!("v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"),
                "b 8f",
                "6:",
                "tbnz {width}, #0, 7f",
                last_pair!("v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
                    "v0", "v1", "v2", "v3", "v4"),
                "b 8f",
                "7:",
                last!("v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15"),
                "8:",
                next!(),
            );
        } else {
            row!(
                of, order, shifts,
                "2:",
                block!(),
                "cbnz {left}, 3f",
                column!("v0", "v1", "v2", "v3"),
                "b 4f",
                "3:",
                "dup v0.16b, {pad:w}",
                "dup v1.16b, {pad:w}",
                "dup v2.16b, {pad:w}",
                "dup v3.16b, {pad:w}",
                "4:",
                "cbz {count}, 4f",
                "3:",
                pair_of_two!("v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"),
                "subs {count}, {count}, #1",
                "b.eq 6f",
                pair_of_two!("v4", "v5", "v6", "v7", "v0", "v1", "v2", "v3"),
                "subs {count}, {count}, #1",
                "b.ne 3b",
                "4:",
                "tbnz {width}, #0, 5f",
                last_pair_of_two!("v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"),
                "b 8f",
                "5:",
                column!("v4", "v5", "v6", "v7"),
                last!("v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"),
                "b 8f",
                "6:",
                "tbnz {width}, #0, 7f",
                last_pair_of_two!("v4", "v5", "v6", "v7", "v0", "v1", "v2", "v3"),
                "b 8f",
                "7:",
                column!("v0", "v1", "v2", "v3"),
                last!("v4", "v5", "v6", "v7", "v0", "v1", "v2", "v3"),
                "8:",
                next!(),
                left = in(reg) usize::from(of.starts_in_padding),
            );
        }
    }
}
