//! Depthwise convolution with a 3x3 kernel.

use super::rescale::{Channels, Finish};
use super::store;
use crate::kernels::Rows;
use crate::operator::Convolution;
use crate::packing::GROUP;
use core::arch::aarch64::*;

/// Kernel rows and columns.
pub(super) const KERNEL: usize = 3;

/// Fewest channels of a block.
const FEWEST: usize = 8;

/// How a column of the input meets a column of the kernel, of `4 Q` channels, 8 or 16.
pub(super) trait Filter<const Q: usize> {
    /// The kernel.
    type Weights;

    /// A column of the window.
    type Column: Copy;

    /// Loads the kernel of `4 Q` of `channels` channels.
    ///
    /// # Safety
    /// `[3 columns][channels][4]` weights lie there, from the first channel on.
    unsafe fn weights(from: *const i8, channels: usize) -> Self::Weights;

    /// Loads a column.
    ///
    /// # Safety
    /// Each row has `4 Q` values there.
    unsafe fn column(rows: [*const i8; KERNEL]) -> Self::Column;

    /// `bias + sum of w * x`.
    ///
    /// # Safety
    /// The processor has what the filter is for.
    unsafe fn sums(
        bias: &[int32x4_t; Q],
        weights: &Self::Weights,
        columns: [Self::Column; KERNEL],
    ) -> [int32x4_t; Q];
}

/// Whether the operator is one for this kernel: 3x3, each channel by itself, small multipliers, and lengths as its shapes
/// say.
pub(super) fn fits(op: &Convolution<'_>, output: &[i8]) -> bool {
    let channels = usize::from(op.output.shape.channels);
    let constants =
        [op.channels.bias.len(), op.channels.sum.len(), op.channels.mantissa.len(), op.channels.shift.len()];
    op.window.kernel == [KERNEL as u16; 2]
        && op.input.shape.channels == op.output.shape.channels
        && channels >= FEWEST
        && op.channels.small
        && constants == [channels; 4]
        && op.weights.len() >= KERNEL * GROUP * channels
        && output.len() >= usize::from(op.output.shape.width) * channels
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
    let (top, taps) = op.window.clip(0, y, op.input.shape.height.into());
    let rows: [Option<&[i8]>; KERNEL] = core::array::from_fn(|tap| {
        let row = taps.contains(&tap).then(|| input.row(top + tap - taps.start))?;
        (row.len() == op.input.row_len()).then_some(row)
    });
    let whole = rows.iter().all(Option::is_some);
    let mut channel = 0;
    while channel < channels {
        let left = channels - channel;
        // The last block overlaps the one before it where it is not full.
        let sixteen = left >= 16 || (left > FEWEST && channels >= 16);
        let first = if sixteen { channel.min(channels - 16) } else { channel.min(channels - FEWEST) };
        let row = Row {
            op,
            rows: rows.map(|row| match row {
                // SAFETY: a row has all channels of at least one column.
                Some(row) => unsafe { (row.as_ptr().add(first), channels) },
                // The same padding at every column.
                None => (padding.as_ptr(), 0),
            }),
            padding: padding.as_ptr(),
            channels,
        };
        // SAFETY: 8 or 16 channels exist in the rows, the operator's parameters and the output.
        unsafe {
            let to = output.as_mut_ptr().add(first);
            match (sixteen, whole) {
                (true, true) => row.run::<F, 4, true>(first, to),
                (true, false) => row.run::<F, 4, false>(first, to),
                (false, true) => row.run::<F, 2, true>(first, to),
                (false, false) => row.run::<F, 2, false>(first, to),
            }
        }
        channel = first + if sixteen { 16 } else { FEWEST };
    }
}

/// What a row of outputs is computed from, of some channels.
struct Row<'a, 'b> {
    op: &'a Convolution<'b>,
    /// Where each row of the window begins, and how far its columns lie apart.
    rows: [(*const i8, usize); KERNEL],
    padding: *const i8,
    channels: usize,
}

impl Row<'_, '_> {
    /// Computes the row, `4 Q` channels of it, from left to right. `WHOLE`: no row of the window is padding.
    ///
    /// # Safety
    /// These channels exist from `first` on, and the row's outputs lie from `to` on.
    #[inline(never)]
    unsafe fn run<F: Filter<Q>, const Q: usize, const WHOLE: bool>(&self, first: usize, to: *mut i8) {
        let width = usize::from(self.op.input.shape.width);
        let [stride, pad] = [self.op.window.stride[1], self.op.window.padding[1]].map(usize::from);
        let outputs = usize::from(self.op.output.shape.width);
        // SAFETY: columns are those of the input, or padding; as many outputs as there are.
        unsafe {
            let end = Output::<F, Q> {
                channels: Channels::load(&self.op.channels, first),
                weights: F::weights(self.op.weights.as_ptr().add(GROUP * first), self.channels),
                finish: Finish::new(self.op.output.zero_point, self.op.activation),
            };
            let (mut to, mut done) = (to, 0);
            // Columns to the left of the input wrap around to numbers beyond its right end.
            let mut x = 0usize.wrapping_sub(pad);
            let [mut a, mut b] = [self.get::<F, Q>(x, width), self.get::<F, Q>(x.wrapping_add(1), width)];
            // Outputs whose window's right column and, of the first, the middle one are inside.
            let inside = match stride {
                1 if x.wrapping_add(2) < width => (width - x.wrapping_add(2)).min(outputs),
                2 if x.wrapping_add(2) < width => ((width - x.wrapping_add(1)) / 2).min(outputs),
                _ => 0,
            };
            if stride == 1 {
                while done + 3 <= inside {
                    let c = self.inside::<F, Q, WHOLE>(x.wrapping_add(2));
                    end.put([a, b, c], to);
                    a = self.inside::<F, Q, WHOLE>(x.wrapping_add(3));
                    end.put([b, c, a], to.add(self.channels));
                    b = self.inside::<F, Q, WHOLE>(x.wrapping_add(4));
                    end.put([c, a, b], to.add(2 * self.channels));
                    (to, x, done) = (to.add(3 * self.channels), x.wrapping_add(3), done + 3);
                }
            } else if stride == 2 && x.wrapping_add(1) < width {
                while done + 2 <= inside {
                    let c = self.inside::<F, Q, WHOLE>(x.wrapping_add(2));
                    end.put([a, b, c], to);
                    b = self.inside::<F, Q, WHOLE>(x.wrapping_add(3));
                    a = self.inside::<F, Q, WHOLE>(x.wrapping_add(4));
                    end.put([c, b, a], to.add(self.channels));
                    b = self.get::<F, Q>(x.wrapping_add(5), width);
                    (to, x, done) = (to.add(2 * self.channels), x.wrapping_add(4), done + 2);
                }
            }
            while done < outputs {
                let c = self.get::<F, Q>(x.wrapping_add(2), width);
                end.put([a, b, c], to);
                x = x.wrapping_add(stride);
                [a, b] = match stride {
                    1 => [b, c],
                    2 => [c, self.get::<F, Q>(x.wrapping_add(1), width)],
                    _ => [self.get::<F, Q>(x, width), self.get::<F, Q>(x.wrapping_add(1), width)],
                };
                (to, done) = (to.wrapping_add(self.channels), done + 1);
            }
        }
    }

    /// Column `x`, or padding if it is not one of the input's.
    ///
    /// # Safety
    /// As of [`run`](Self::run).
    #[inline(always)]
    unsafe fn get<F: Filter<Q>, const Q: usize>(&self, x: usize, width: usize) -> F::Column {
        // SAFETY: there is as much padding as a column has values.
        unsafe { if x < width { self.inside::<F, Q, false>(x) } else { F::column([self.padding; KERNEL]) } }
    }

    /// Column `x` of the input.
    ///
    /// # Safety
    /// There is one.
    #[inline(always)]
    unsafe fn inside<F: Filter<Q>, const Q: usize, const WHOLE: bool>(&self, x: usize) -> F::Column {
        let [first, second, third] = self.rows;
        // SAFETY: the rows are as described.
        unsafe {
            let step = |row: (*const i8, usize)| row.0.add(x * if WHOLE { self.channels } else { row.1 });
            F::column([step(first), step(second), step(third)])
        }
    }
}

/// What makes an output of a window.
struct Output<F: Filter<Q>, const Q: usize> {
    channels: Channels<Q>,
    weights: F::Weights,
    finish: Finish,
}

impl<F: Filter<Q>, const Q: usize> Output<F, Q> {
    /// Computes and stores an output.
    ///
    /// # Safety
    /// There is room for `4 Q` values.
    #[inline(always)]
    unsafe fn put(&self, columns: [F::Column; KERNEL], to: *mut i8) {
        // SAFETY: see above.
        unsafe {
            let mut sums = F::sums(&self.channels.bias, &self.weights, columns);
            for quad in 0..Q {
                sums[quad] = self.channels.rescale[quad].apply(sums[quad]);
            }
            let low = self.finish.eight(sums[0], sums[1]);
            let high = self.finish.eight(sums[Q - 2], sums[Q - 1]);
            let mut values = self.finish.sixteen(low, high);
            if self.finish.clamps {
                values = self.finish.clamp(values);
            }
            store::<Q>(to, values, 0);
        }
    }
}
