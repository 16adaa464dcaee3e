//! A row of a depthwise filter as one piece of assembly: which register holds what is part of how few instructions there are.

use crate::kernels::neon::depthwise::Blocks;
use core::arch::asm;

/// Loads the next column: the bytes of three rows.
macro_rules! column {
    ($a:literal, $b:literal, $c:literal) => {
        concat!(
            "ld1 {{ ", $a, ".16b }}, [{r0}], {s0}\n",
            "ld1 {{ ", $b, ".16b }}, [{r1}], {s1}\n",
            "ld1 {{ ", $c, ".16b }}, [{r2}], {s2}\n",
        )
    };
}

/// A column of padding.
macro_rules! padding {
    ($a:literal, $b:literal, $c:literal) => {
        concat!(
            "dup ", $a, ".16b, {pad:w}\n",
            "dup ", $b, ".16b, {pad:w}\n",
            "dup ", $c, ".16b, {pad:w}\n",
        )
    };
}

/// Adds four products.
macro_rules! products {
    ($w0:literal, $x0:literal, $w1:literal, $x1:literal, $w2:literal, $x2:literal, $w3:literal, $x3:literal) => {
        concat!(
            "smull v22.8h, ", $w0, ".8b, ", $x0, ".8b\n",
            "smull2 v23.8h, ", $w0, ".16b, ", $x0, ".16b\n",
            "smull v24.8h, ", $w2, ".8b, ", $x2, ".8b\n",
            "smull2 v25.8h, ", $w2, ".16b, ", $x2, ".16b\n",
            "smlal v22.8h, ", $w1, ".8b, ", $x1, ".8b\n",
            "smlal2 v23.8h, ", $w1, ".16b, ", $x1, ".16b\n",
            "smlal v24.8h, ", $w3, ".8b, ", $x3, ".8b\n",
            "smlal2 v25.8h, ", $w3, ".16b, ", $x3, ".16b\n",
            products!("v22", "v23"),
            products!("v24", "v25"),
        )
    };
    ($low:literal, $high:literal) => {
        concat!(
            "saddw v18.4s, v18.4s, ", $low, ".4h\n",
            "saddw2 v19.4s, v19.4s, ", $low, ".8h\n",
            "saddw v20.4s, v20.4s, ", $high, ".4h\n",
            "saddw2 v21.4s, v21.4s, ", $high, ".8h\n",
        )
    };
}

/// An output of the columns `$a`, `$b` and `$c` of three registers each.
macro_rules! output {
    ($a0:literal, $a1:literal, $a2:literal, $b0:literal, $b1:literal, $b2:literal,
     $c0:literal, $c1:literal, $c2:literal) => {
        concat!(
            "ld1 {{ v18.4s, v19.4s, v20.4s, v21.4s }}, [{bias}]\n",
            products!("v0", $a0, "v1", $a1, "v2", $a2, "v3", $b0),
            products!("v4", $b1, "v5", $b2, "v6", $c0, "v7", $c1),
            "smull v22.8h, v8.8b, ", $c2, ".8b\n",
            "smull2 v23.8h, v8.16b, ", $c2, ".16b\n",
            products!("v22", "v23"),
            "ld1 {{ v22.4s, v23.4s, v24.4s, v25.4s }}, [{mantissa}]\n",
            "sqdmulh v18.4s, v18.4s, v22.4s\n",
            "sqdmulh v19.4s, v19.4s, v23.4s\n",
            "sqdmulh v20.4s, v20.4s, v24.4s\n",
            "sqdmulh v21.4s, v21.4s, v25.4s\n",
            "sqshl v18.4s, v18.4s, v28.4s\n",
            "sqshl v19.4s, v19.4s, v29.4s\n",
            "sqshl v20.4s, v20.4s, v30.4s\n",
            "sqshl v21.4s, v21.4s, v31.4s\n",
            "uzp2 v18.8h, v18.8h, v19.8h\n",
            "uzp2 v20.8h, v20.8h, v21.8h\n",
            "sqadd v18.8h, v18.8h, v26.8h\n",
            "sqadd v20.8h, v20.8h, v26.8h\n",
            "sqrshrn v18.8b, v18.8h, #6\n",
            "sqrshrn2 v18.16b, v20.8h, #6\n",
            "cbz {limits}, 9f\n",
            "ld1 {{ v22.16b, v23.16b }}, [{limits}]\n",
            "smax v18.16b, v18.16b, v22.16b\n",
            "smin v18.16b, v18.16b, v23.16b\n",
            "9:\n",
            "st1 {{ v18.16b }}, [{to}], {step}\n",
        )
    };
}

/// What is done once for a block: its constants to registers, the place of the outputs.
macro_rules! block {
    () => {
        concat!(
            "ldr q9, [{shift}], #16\n",
            "movi v10.16b, #22\n",
            "mov {to}, {first}\n",
            "add {first}, {first}, #16\n",
            "subs {count}, {width}, #1\n",
            "add v9.16b, v9.16b, v10.16b\n",
            "sshll v10.8h, v9.8b, #0\n",
            "sshll2 v11.8h, v9.16b, #0\n",
            "sshll v28.4s, v10.4h, #0\n",
            "sshll2 v29.4s, v10.8h, #0\n",
            "sshll v30.4s, v11.4h, #0\n",
            "sshll2 v31.4s, v11.8h, #0\n",
            // The fourth of each is of a row that does not exist.
            "ld4 {{ v0.16b, v1.16b, v2.16b, v3.16b }}, [{w0}], #64\n",
            "ld4 {{ v3.16b, v4.16b, v5.16b, v6.16b }}, [{w1}], #64\n",
            "ld4 {{ v6.16b, v7.16b, v8.16b, v9.16b }}, [{w2}], #64\n",
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
            "add {bias}, {bias}, #64\n",
            "add {mantissa}, {mantissa}, #64\n",
            "subs {blocks}, {blocks}, #1\n",
            "b.ne 2b\n",
        )
    };
}

macro_rules! row {
    ($of:ident, $($text:tt)*) => {
        asm!(
            "dup v26.8h, {zero_point:w}",
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
            zero_point = in(reg) i32::from($of.finish.zero_point_bits),
            pad = in(reg) i32::from($of.padding),
            limits = in(reg) $of.finish.limits(),
            to = out(reg) _,
            first = inout(reg) $of.to => _,
            step = in(reg) $of.step,
            count = out(reg) _,
            width = in(reg) $of.width,
            blocks = inout(reg) $of.blocks => _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v28") _,
            out("v29") _, out("v30") _, out("v31") _,
            options(nostack),
        )
    };
}

/// Blocks of 16 channels of a row, of stride 1 or 2.
///
/// # Safety
/// As of [`Filter::blocks`](crate::kernels::neon::depthwise::Filter::blocks).
#[inline(always)]
pub(super) unsafe fn blocks(of: &Blocks) {
    // SAFETY: see above.
    unsafe {
        if of.stride == 1 {
            row!(
                of,
                "2:",
                block!(),
                padding!("v9", "v10", "v11"),
                column!("v12", "v13", "v14"),
                "b.eq 4f",
                "3:",
                column!("v15", "v16", "v17"),
                output!("v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17"),
                "subs {count}, {count}, #1",
                "b.eq 5f",
                column!("v9", "v10", "v11"),
                output!("v12", "v13", "v14", "v15", "v16", "v17", "v9", "v10", "v11"),
                "subs {count}, {count}, #1",
                "b.eq 6f",
                column!("v12", "v13", "v14"),
                output!("v15", "v16", "v17", "v9", "v10", "v11", "v12", "v13", "v14"),
                "subs {count}, {count}, #1",
                "b.ne 3b",
                "4:",
                padding!("v15", "v16", "v17"),
                output!("v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17"),
                "b 7f",
                "5:",
                padding!("v9", "v10", "v11"),
                output!("v12", "v13", "v14", "v15", "v16", "v17", "v9", "v10", "v11"),
                "b 7f",
                "6:",
                padding!("v12", "v13", "v14"),
                output!("v15", "v16", "v17", "v9", "v10", "v11", "v12", "v13", "v14"),
                "7:",
                next!(),
            );
        } else {
            row!(
                of,
                "2:",
                block!(),
                "cbnz {left}, 3f",
                column!("v9", "v10", "v11"),
                "b 4f",
                "3:",
                padding!("v9", "v10", "v11"),
                "4:",
                "b.eq 4f",
                "3:",
                column!("v12", "v13", "v14"),
                column!("v15", "v16", "v17"),
                output!("v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17"),
                "subs {count}, {count}, #1",
                "b.eq 5f",
                column!("v12", "v13", "v14"),
                column!("v9", "v10", "v11"),
                output!("v15", "v16", "v17", "v12", "v13", "v14", "v9", "v10", "v11"),
                "subs {count}, {count}, #1",
                "b.ne 3b",
                "4:",
                column!("v12", "v13", "v14"),
                padding!("v15", "v16", "v17"),
                output!("v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17"),
                "b 6f",
                "5:",
                column!("v12", "v13", "v14"),
                padding!("v9", "v10", "v11"),
                output!("v15", "v16", "v17", "v12", "v13", "v14", "v9", "v10", "v11"),
                "6:",
                next!(),
                left = in(reg) usize::from(of.starts_in_padding),
            );
        }
    }
}
