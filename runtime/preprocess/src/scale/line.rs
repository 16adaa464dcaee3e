//! A row of the picture at the input's width, with 8 bits behind the point.

use super::area;
use super::axis::{Axis, divisor, divisor_u32};
use super::pixels::PixelFormat;

/// One, with 8 bits behind the point.
pub(super) const ONE: u32 = 256;

/// Calls `each` with every value of a row at the input's width, in order: `[column][channel]`, 0 to 255 * [`ONE`].
#[inline(always)]
pub(super) fn each<const C: usize>(
    columns: &Axis,
    format: PixelFormat,
    row: &[u8],
    mut each: impl FnMut([u32; C]),
) {
    let pixel = |column: usize| format.pixel::<C>(row, columns.from + column);
    for place in 0..columns.target {
        each(if columns.shrinks() {
            averaged(columns, place, pixel)
        } else {
            between(columns, place, pixel)
        });
    }
}

#[inline(always)]
fn averaged<const C: usize>(columns: &Axis, place: usize, pixel: impl Fn(usize) -> [u8; C]) -> [u32; C] {
    let mut sum = [0; C];
    for (column, weight) in area::shares(columns, place) {
        for (sum, value) in sum.iter_mut().zip(pixel(column)) {
            *sum += weight * u32::from(value);
        }
    }
    // The weights' sum is the number of columns, at most 65,535: 255 of 256 times as much fits.
    let all = columns.source as u32;
    sum.map(|sum| (sum * ONE + all / 2) / divisor_u32(all))
}

#[inline(always)]
fn between<const C: usize>(
    columns: &Axis,
    place: usize,
    pixel_values: impl Fn(usize) -> [u8; C],
) -> [u32; C] {
    let Neighbours { pixels, weights: [left, right] } = Neighbours::of(columns, place);
    let mut sum = [0; C];
    for (pixel, weight) in pixels.into_iter().zip([left, right]) {
        for (sum, value) in sum.iter_mut().zip(pixel_values(pixel)) {
            *sum += weight * u32::from(value);
        }
    }
    let all = left + right;
    sum.map(|sum| (sum * ONE + all / 2) / divisor_u32(all))
}

/// The two pixels that a place of a longer input lies between, the same one twice at the ends.
pub(super) struct Neighbours {
    pub(super) pixels: [usize; 2],
    /// In their sum, which is twice the length of the input, at most 8,192.
    pub(super) weights: [u32; 2],
}

impl Neighbours {
    pub(super) fn of(axis: &Axis, place: usize) -> Self {
        let all = 2 * axis.target;
        // From centre to centre: (place + 1/2) * source / target - 1/2, in units of 1 / all.
        let at = ((2 * place + 1) * axis.source).saturating_sub(axis.target);
        let (pixel, right) = (at / divisor(all), at % divisor(all));
        let last = axis.source - 1;
        Self {
            pixels: [pixel.min(last), (pixel + 1).min(last)],
            weights: [(all - right) as u32, right as u32],
        }
    }
}
