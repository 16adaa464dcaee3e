//! Four products of bytes at a time: the instruction `sdot`, for which the standard library has no stable function.

mod depthwise;
mod product;
#[rustfmt::skip]
mod tile;
#[rustfmt::skip]
mod walk;

/// Products by `sdot`.
#[derive(Debug)]
pub(super) struct Dot;
