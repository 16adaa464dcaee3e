//! Sets of operator kinds: what a program is built for.

use crate::image::layout::operator as kind;

/// A set of operator kinds, bit `k` for [kind](crate::image::layout::operator) `k`; bit 0 is for operators of any kind in forms
/// that only the scalar kernels are for.
pub type Kinds = u16;

/// All kinds that this library knows, in all forms.
pub const ALL_KINDS: Kinds = (2 << kind::CONSTANT) - 1;

/// All kinds, in forms that a Cortex-M with DSP instructions has kernels of its own for: a program for these has no others.
pub const USUAL_KINDS: Kinds = ALL_KINDS - 1;

/// The bit of forms that are not [usual](super::usual).
pub(crate) const UNUSUAL: u16 = 0;

/// Whether a kind is in a set.
#[inline(always)]
pub(crate) const fn has(kinds: Kinds, kind: u16) -> bool {
    kind <= kind::CONSTANT && kinds >> kind & 1 != 0
}

/// A kind's name as in TensorFlow Lite.
pub(crate) const fn name(kind: u16) -> &'static str {
    match kind {
        kind::CONVOLUTION => "CONV_2D",
        kind::DEPTHWISE => "DEPTHWISE_CONV_2D",
        kind::FULLY_CONNECTED => "FULLY_CONNECTED",
        kind::ADD => "ADD",
        kind::MEAN => "MEAN",
        kind::SOFTMAX => "SOFTMAX",
        kind::AVERAGE_POOL => "AVERAGE_POOL_2D",
        kind::MAX_POOL => "MAX_POOL_2D",
        kind::PAD => "PAD",
        kind::CONSTANT => "CONSTANT",
        UNUSUAL => "operators in unusual forms",
        _ => "unknown operators",
    }
}
