//! Where samples come from, and how they lie there.

use edge8::Preparation;
use files::Pictures;

/// How an array of images lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Layout {
    /// Channels first: images, channels, rows, columns.
    Nchw,
    /// Channels last: images, rows, columns, channels.
    Nhwc,
}

/// All samples, before they become channels last.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Pictures(Pictures, Preparation),
    Bytes(Vec<u8>, Layout),
    Reals(Vec<f32>, Layout),
}
