//! How much of each pixel lies in a place of a shorter input.
//!
//! In units of which a pixel has as many as there are places, and a place as many as there are pixels.

use super::axis::{Axis, divisor};

/// The pixels that a place covers, each with its share; the shares' sum is the number of all pixels.
#[inline(always)]
pub(super) fn shares(axis: &Axis, place: usize) -> impl Iterator<Item = (usize, u32)> {
    let target = divisor(axis.target);
    let first = place * axis.source / target;
    let last = ((place + 1) * axis.source - 1) / target;
    (first..=last).map(move |pixel| (pixel, share(axis, place, pixel)))
}

/// The share of one pixel.
#[inline(always)]
pub(super) fn share(axis: &Axis, place: usize, pixel: usize) -> u32 {
    let from = (pixel * axis.target).max(place * axis.source);
    let to = ((pixel + 1) * axis.target).min((place + 1) * axis.source);
    to.saturating_sub(from) as u32
}

/// Whether a pixel is the last one of which a place has a share.
pub(super) fn ends(axis: &Axis, place: usize, pixel: usize) -> bool {
    (pixel + 1) * axis.target >= (place + 1) * axis.source
}
