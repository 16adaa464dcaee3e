//! Depthwise 3x3 convolution.
//!
//! Four channels at a time: the rows that the windows of a row of outputs meet are widened and put side by side in the scratch
//! bytes, columns of padding included; then each channel is filtered by itself.

use super::clamp;
use super::filter::{self, COLUMN, Row};
use crate::kernels::rows::Rows;
use crate::kernels::shapes;
use crate::operator::Convolution;
use crate::packing::GROUP;
use crate::slices::not_unrolled;
use core::arch::naked_asm;
use core::ops::Range;

/// Channels that are brought together.
const CHANNELS: usize = 4;

/// Columns that the windows of a row of outputs meet.
fn columns(op: &Convolution<'_>) -> usize {
    let [outputs, stride] = [op.output.shape.width, op.window.stride[1]].map(usize::from);
    outputs.saturating_sub(1).saturating_mul(stride).saturating_add(shapes::KERNEL)
}

/// Whether the operator [is one](shapes::is_depthwise) for the kernel, windows are one or two columns apart, there are four
/// channels, and the columns fit.
pub(super) fn fits(op: &Convolution<'_>, rows: &Range<usize>, output: &[i8], columns_in: &[u32]) -> bool {
    let Convolution { input, output: to, window, .. } = op;
    shapes::is_depthwise(op, rows, output)
        && matches!(window.stride[1], 1 | 2)
        && usize::from(input.shape.channels) >= CHANNELS
        && to.shape.width > 0
        && columns(op).saturating_mul(COLUMN) <= columns_in.len()
}

/// Row `y`; the operator [`fits`].
pub(super) fn depthwise(
    op: &Convolution<'_>,
    input: Rows<'_>,
    y: usize,
    output: &mut [i8],
    scratch: &mut [u32],
) {
    let channels = usize::from(op.output.shape.channels);
    let row = Row {
        weights: op.weights.as_ptr(),
        weight_step: channels * GROUP,
        biases: op.channels.bias.as_ptr(),
        mantissas: op.channels.mantissa.as_ptr(),
        shifts: op.channels.shift.as_ptr(),
        offset: (2 * i32::from(op.output.zero_point) + 1) << 23,
        outputs_but_one: (usize::from(op.output.shape.width) - 1) << 8,
        step: channels,
    };
    let padding = [op.input.zero_point; CHANNELS];
    let source = Source::new(op, shapes::window_rows(op, input, y), &padding, scratch);
    let [bottom, top] = match op.window.stride[1] {
        1 => [filter::bottom_1, filter::top_1],
        _ => [filter::bottom_2, filter::top_2],
    };
    let mut first = 0;
    loop {
        // SAFETY: four channels exist from the first one on, in the rows and in the output; the operator has the constants and
        // weights of each. The columns fit the scratch words and are as many as the outputs need.
        unsafe {
            source.interleave(first);
            let (columns, to) = (source.begin, output.as_mut_ptr().add(first));
            bottom(&row, first, columns, to);
            bottom(&row, first + 1, columns.add(3), to.add(1));
            top(&row, first + 2, columns.add(1), to.add(2));
            top(&row, first + 3, columns.add(4), to.add(3));
        }
        if first + CHANNELS >= channels {
            break;
        }
        // The last four overlap those before them.
        first = (first + CHANNELS).min(channels - CHANNELS);
    }
    clamp::clamp(op.activation, output);
}

/// The rows of a window, and where their columns go.
#[repr(C)]
struct Source {
    /// The first channel of the rows' first pixels.
    rows: [*const i8; shapes::KERNEL],
    /// Bytes from column to column: none where a row is padding.
    steps: [usize; shapes::KERNEL],
    to: *mut u32,
    columns: usize,
    /// The first column, of padding or not.
    begin: *const u32,
}

impl Source {
    /// Writes the columns of padding; those between are written for every four channels.
    fn new(
        op: &Convolution<'_>,
        rows: [Option<&[i8]>; shapes::KERNEL],
        padding: &[i8; CHANNELS],
        scratch: &mut [u32],
    ) -> Self {
        let channels = usize::from(op.input.shape.channels);
        let all = columns(op);
        let left = usize::from(op.window.padding[1]).min(all);
        let columns = usize::from(op.input.shape.width).min(all - left);
        let zero_point = i32::from(op.input.zero_point) as u32 & 0xffff;
        let word = zero_point << 16 | zero_point;
        let mut pad = |from: usize, to: usize| {
            for pair in scratch.get_mut(from * COLUMN..to * COLUMN).unwrap_or_default() {
                not_unrolled();
                *pair = word;
            }
        };
        pad(0, left);
        pad(left + columns, all);
        let begin = scratch.as_mut_ptr();
        Self {
            rows: rows.map(|row| row.unwrap_or(padding).as_ptr()),
            steps: rows.map(|row| if row.is_some() { channels } else { 0 }),
            to: begin.wrapping_add(left * COLUMN),
            columns,
            begin,
        }
    }

    /// Brings four channels together.
    ///
    /// # Safety
    /// They exist, and there is room for the columns.
    unsafe fn interleave(&self, first: usize) {
        let rows = core::array::from_fn(|row| {
            let at = if self.steps[row] == 0 { 0 } else { first };
            self.rows[row].wrapping_add(at)
        });
        // SAFETY: see above.
        unsafe { interleave(&Self { rows, ..*self }) }
    }
}

/// Widens and stores the columns of four channels, one column at least.
///
/// # Safety
/// The rows have as many columns as it says, and there is room for them, aligned to 4.
#[unsafe(naked)]
unsafe extern "C" fn interleave(source: *const Source) {
    naked_asm!(
        env!("EDGE8_DSP"),
        "push {{r4-r11, lr}}",
        "ldr r12, [r0, #24]",
        "ldr lr, [r0, #28]",
        "ldm r0, {{r0-r5}}",
        "2:",
        "ldr r10, [r0]",
        "ldr r11, [r2]",
        "add r0, r0, r3",
        "add r2, r2, r5",
        "sxtb16 r7, r10",
        "sxtb16 r10, r10, ror #8",
        "sxtb16 r8, r11",
        "sxtb16 r11, r11, ror #8",
        "pkhbt r6, r7, r8, lsl #16",
        "pkhtb r8, r8, r7, asr #16",
        "pkhbt r9, r10, r11, lsl #16",
        "pkhtb r11, r11, r10, asr #16",
        "ldr r10, [r1]",
        "add r1, r1, r4",
        "sxtb16 r7, r10",
        "sxtb16 r10, r10, ror #8",
        "stm r12!, {{r6-r11}}",
        "subs lr, lr, #1",
        "bne 2b",
        "pop {{r4-r11, pc}}",
    )
}
