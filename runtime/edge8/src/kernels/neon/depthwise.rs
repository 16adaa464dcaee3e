//! Depthwise convolution with a 3x3 kernel.

use super::rescale::{Channels, Finish};
use super::store::store;
use crate::kernels::rows::Rows;
use crate::kernels::shapes::{self, KERNEL};
use crate::operator::{Convolution, Word};
use crate::packing::GROUP;
use core::arch::aarch64::*;
use core::ops::Range;

/// Fewest channels of a block.
const FEWEST: u16 = 8;

/// How a column of the input meets a column of the kernel, of `4 Q` channels, 8 or 16.
pub(super) trait Filter<const Q: usize> {
    /// What all kernels share.
    type Shared: Copy;

    /// The kernel.
    type Weights;

    /// A column of the window.
    type Column: Copy;

    /// See [`Shared`](Self::Shared).
    ///
    /// # Safety
    /// The processor has what the filter is for.
    unsafe fn shared() -> Self::Shared;

    /// Loads the kernel of `4 Q` of `channels` channels.
    ///
    /// # Safety
    /// `[3 columns][channels][4]` weights lie there, from the first channel on.
    unsafe fn weights(shared: Self::Shared, from: *const i8, channels: usize) -> Self::Weights;

    /// Loads a column.
    ///
    /// # Safety
    /// Each row has `4 Q` values there.
    unsafe fn column(weights: &Self::Weights, rows: [*const i8; KERNEL]) -> Self::Column;

    /// Computes blocks of 16 channels of a row.
    ///
    /// # Safety
    /// There is a block, and it is as described; as of [`add`](Self::add).
    unsafe fn blocks(blocks: &Blocks);

    /// `sums + w * x`.
    ///
    /// # Safety
    /// The weights are still there. The processor has what the filter is for.
    unsafe fn add(
        sums: [int32x4_t; Q],
        weights: &Self::Weights,
        columns: [Self::Column; KERNEL],
    ) -> [int32x4_t; Q];
}

/// Blocks of 16 channels of a row of outputs that [`is_regular`].
pub(super) struct Blocks {
    /// Column 0 of the rows of the window, and how far the columns lie apart: 0 where the row is padding.
    pub rows: [(*const i8, usize); KERNEL],
    /// From the end of each row to its beginning in the next block.
    pub back: [usize; KERNEL],
    /// 1 or 2.
    pub stride: usize,
    /// Whether the first window begins with a column of padding; with stride 1 it does.
    pub starts_in_padding: bool,
    /// What padding is.
    pub padding: i8,
    /// What the first block has.
    pub weights: *const i8,
    pub bias: *const Word,
    pub mantissa: *const Word,
    pub shift: *const i8,
    pub blocks: usize,
    pub finish: Finish,
    /// Where the first output is stored, and how far the outputs lie apart.
    pub to: *mut i8,
    pub step: usize,
    /// Outputs of a row.
    pub width: usize,
}

/// Whether the columns of the last window are the last ones of the input and one of padding, and those of the first window
/// the first ones, with stride 1 or where the width is odd after one of padding.
fn is_regular(op: &Convolution<'_>) -> bool {
    let [input, output] = [op.input.shape.width, op.output.shape.width].map(usize::from);
    match (op.window.stride[1], op.window.padding[1]) {
        (1, 1) => input == output,
        (2, 0) => input == 2 * output,
        (2, 1) => input + 1 == 2 * output,
        _ => false,
    }
}

/// Whether the operator [is one](shapes::is_depthwise) for the kernels, and has enough channels.
pub(super) fn fits(op: &Convolution<'_>, rows: &Range<usize>, output: &[i8]) -> bool {
    let shape = op.output.shape;
    shape.channels >= FEWEST && shape.width > 0 && shapes::is_depthwise(op, rows, output)
}

/// Row `y`; the operator [`fits`].
///
/// # Safety
/// The processor has what `F` is for.
pub(super) unsafe fn depthwise<F: Filter<2> + Filter<4>>(
    op: &Convolution<'_>,
    input: Rows<'_>,
    y: usize,
    output: &mut [i8],
) {
    let channels = usize::from(op.output.shape.channels);
    let padding = [op.input.zero_point; 16];
    let rows = shapes::window_rows(op, input, y);
    let row = Row {
        op,
        rows: rows.map(|row| match row {
            Some(row) => (row.as_ptr(), usize::MAX),
            None => (padding.as_ptr(), 0),
        }),
        padding: padding.as_ptr(),
        channels,
        to: output.as_mut_ptr(),
    };
    let whole = rows.iter().all(Option::is_some);
    // SAFETY: 8 or 16 channels exist from each first one on in the rows, the operator's parameters and the output.
    unsafe {
        if channels >= 16 && is_regular(op) {
            row.regular::<F>(0, channels / 16);
            match channels % 16 {
                0 => {}
                1..=8 => row.run::<F, 2>(channels - 8, whole),
                _ => row.regular::<F>(channels - 16, 1),
            }
            return;
        }
        row.run::<F, 4>(0, whole);
        // A last block that is not full overlaps the one before it.
        match channels % 16 {
            0 => {}
            _ if channels < 16 => {
                row.run::<F, 2>(0, whole);
                row.run::<F, 2>(channels - 8, whole);
            }
            1..=8 => row.run::<F, 2>(channels - 8, whole),
            _ => row.run::<F, 4>(channels - 16, whole),
        }
    }
}

/// What a row of outputs is computed from.
struct Row<'a, 'b> {
    op: &'a Convolution<'b>,
    /// The rows of the window, and what an offset into them is masked with: padding is the same at every column.
    rows: [(*const i8, usize); KERNEL],
    padding: *const i8,
    channels: usize,
    to: *mut i8,
}

impl Row<'_, '_> {
    /// Computes some blocks of 16 channels from `first` on, of an operator that [`is_regular`].
    ///
    /// # Safety
    /// As of [`run`](Self::run).
    #[inline(never)]
    unsafe fn regular<F: Filter<4>>(&self, first: usize, blocks: usize) {
        let Convolution { input, output, window, channels: constants, activation, weights, .. } = *self.op;
        let step = self.channels;
        let mut rows = self.rows;
        let mut back = [0; KERNEL];
        for row in 0..KERNEL {
            let (start, mask) = self.rows[row];
            rows[row] = (start.wrapping_add(first & mask), step & mask);
            back[row] = 16usize.wrapping_sub(input.row_len()) & mask;
        }
        // SAFETY: see above.
        unsafe {
            F::blocks(&Blocks {
                rows,
                back,
                stride: window.stride[1].into(),
                starts_in_padding: window.padding[1] > 0,
                padding: input.zero_point,
                weights: weights.as_ptr().add(GROUP * first),
                bias: constants.bias.as_ptr().add(first),
                mantissa: constants.mantissa.as_ptr().add(first),
                shift: constants.shift.as_ptr().add(first),
                blocks,
                finish: Finish::new(output.zero_point, activation),
                to: self.to.add(first),
                step,
                width: output.shape.width.into(),
            });
        }
    }

    /// Computes the row, `4 Q` channels after the other from `first` on, as long as there are as many.
    ///
    /// # Safety
    /// The operator [`fits`], and the row is as described. `whole`: no row of the window is padding.
    #[inline(always)]
    unsafe fn run<F: Filter<Q>, const Q: usize>(&self, first: usize, whole: bool) {
        // SAFETY: see above.
        unsafe {
            match (self.op.window.stride[1], whole) {
                (1, true) => self.blocks::<F, Q, 1, true>(first),
                (1, false) => self.blocks::<F, Q, 1, false>(first),
                (2, true) => self.blocks::<F, Q, 2, true>(first),
                (2, false) => self.blocks::<F, Q, 2, false>(first),
                _ => self.blocks::<F, Q, 0, false>(first),
            }
        }
    }

    /// See [`run`](Self::run). `STRIDE`: 1, 2, or 0 for any.
    ///
    /// # Safety
    /// As there.
    #[inline(never)]
    unsafe fn blocks<F: Filter<Q>, const Q: usize, const STRIDE: usize, const WHOLE: bool>(
        &self,
        mut first: usize,
    ) {
        let Convolution { input, output, window, channels: constants, activation, .. } = *self.op;
        let (channels, weights) = (self.channels, self.op.weights.as_ptr());
        let [stride, pad] = [window.stride[1], window.padding[1]].map(usize::from);
        let walk = Walk {
            stride,
            step: channels,
            begin: 0usize.wrapping_sub(pad.wrapping_mul(channels)),
            outputs: output.shape.width.into(),
        };
        // SAFETY: the processor has what the filter is for.
        let (shared, finish) = unsafe { (F::shared(), Finish::new(output.zero_point, activation)) };
        while first + 4 * Q <= channels {
            // SAFETY: the channels exist.
            unsafe {
                let columns = Columns::<WHOLE> {
                    rows: self.rows.map(|row| (row.0.add(first & row.1), row.1)),
                    padding: self.padding,
                    len: input.row_len(),
                };
                let kernel = Kernel::<F, Q> {
                    channels: Channels::new(&constants, first),
                    weights: F::weights(shared, weights.add(GROUP * first), channels),
                    finish,
                };
                walk.run::<F, Q, STRIDE, WHOLE>(&columns, &kernel, self.to.add(first));
            }
            first += 4 * Q;
        }
    }
}

/// How a window moves over a row.
struct Walk {
    stride: usize,
    /// From column to column.
    step: usize,
    /// The first window's first column; those to the left of the input are offsets beyond its right end.
    begin: usize,
    outputs: usize,
}

impl Walk {
    /// Computes `4 Q` channels of the row from left to right.
    ///
    /// # Safety
    /// The columns are as described and have the channels; outputs lie from `to` on.
    #[inline(always)]
    unsafe fn run<F: Filter<Q>, const Q: usize, const STRIDE: usize, const WHOLE: bool>(
        &self,
        columns: &Columns<WHOLE>,
        kernel: &Kernel<F, Q>,
        mut to: *mut i8,
    ) {
        let Self { stride, step, begin: mut at, outputs: mut left } = *self;
        macro_rules! get {
            () => {{
                let column = columns.get(kernel, at);
                at = at.wrapping_add(step);
                column
            }};
        }
        // Computes an output and leaves the loop if that was the last.
        macro_rules! put {
            ($columns:expr) => {
                kernel.put($columns, to);
                left = left.wrapping_sub(1);
                if left == 0 {
                    return;
                }
                to = to.add(step);
            };
        }
        // SAFETY: there are `left` outputs, one at least.
        unsafe {
            let [mut a, mut b] = [get!(), get!()];
            // Columns that the next output needs too are not loaded again.
            match STRIDE {
                1 => loop {
                    let c = get!();
                    put!([a, b, c]);
                    a = get!();
                    put!([b, c, a]);
                    b = get!();
                    put!([c, a, b]);
                },
                2 => loop {
                    let c = get!();
                    put!([a, b, c]);
                    b = get!();
                    a = get!();
                    put!([c, b, a]);
                    b = get!();
                },
                _ => loop {
                    let c = get!();
                    put!([a, b, c]);
                    at = at.wrapping_add(stride.wrapping_sub(KERNEL).wrapping_mul(step));
                    [a, b] = [get!(), get!()];
                },
            }
        }
    }
}

/// The columns of the rows of a window. `WHOLE`: none of them is padding.
struct Columns<const WHOLE: bool> {
    rows: [(*const i8, usize); KERNEL],
    padding: *const i8,
    /// Values of a row of the input.
    len: usize,
}

impl<const WHOLE: bool> Columns<WHOLE> {
    /// The column at an offset, or padding if that is not in the input.
    ///
    /// # Safety
    /// The rows have as many channels as `F` loads, and the padding too.
    #[inline(always)]
    unsafe fn get<F: Filter<Q>, const Q: usize>(&self, kernel: &Kernel<F, Q>, at: usize) -> F::Column {
        let [first, second, third] = self.rows;
        // SAFETY: the offset is that of a column.
        unsafe {
            if at < self.len {
                let row = |row: (*const i8, usize)| row.0.add(if WHOLE { at } else { at & row.1 });
                F::column(&kernel.weights, [row(first), row(second), row(third)])
            } else {
                F::column(&kernel.weights, [self.padding; KERNEL])
            }
        }
    }
}

/// What makes an output of a window.
struct Kernel<F: Filter<Q>, const Q: usize> {
    channels: Channels<Q>,
    weights: F::Weights,
    finish: Finish,
}

impl<F: Filter<Q>, const Q: usize> Kernel<F, Q> {
    /// Computes and stores an output.
    ///
    /// # Safety
    /// There is room for `4 Q` values.
    #[inline(always)]
    unsafe fn put(&self, columns: [F::Column; KERNEL], to: *mut i8) {
        // SAFETY: see above.
        unsafe {
            let mut sums = F::add(self.channels.bias(), &self.weights, columns);
            for quad in 0..Q {
                sums[quad] = self.channels.rescale(quad).apply(sums[quad]);
            }
            let low = self.finish.eight(sums[0], sums[1]);
            let high = self.finish.eight(sums[Q - 2], sums[Q - 1]);
            let mut values = [self.finish.sixteen(low, high)];
            self.finish.clamp(&mut values);
            store::<Q>(to, values[0], 0);
        }
    }
}
