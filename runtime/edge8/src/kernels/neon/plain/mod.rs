//! Products of bytes widened to 16 bits, two of them added before they are widened to 32.

mod depthwise;
mod product;
#[rustfmt::skip]
mod tile;
#[rustfmt::skip]
mod walk;

/// Products without `sdot`.
///
/// Two products fit into 16 bits: `2 * 127 * 128`, the weight -128 being none that a quantised network has.
#[derive(Debug)]
pub(super) struct Plain;
