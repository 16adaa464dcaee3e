//! Outputs of a packed matrix for one, two or four patches at once.
//!
//! The sums of an output and some patches stay in registers; a word of weights is widened once for all patches. Of one or two
//! patches there are registers for the sums of several outputs: their weights lie side by side.
//!
//! With `k = -1 - shift` the value of a sum is `(high half of sum * mantissa + 2^(k - 1)) >> k`, plus the zero point, which is
//! added before the shift where that fits into 32 bits: up to `k = 23`.

use crate::operator::Word;
use crate::packing::{BLOCK, GROUP};

/// The loop of groups: `$count` says how often, beside the step in its lowest byte, and the word at `$enter` on the stack where
/// it is entered.
#[rustfmt::skip]
macro_rules! groups {
    ($group:expr, $count:literal, $enter:literal) => {
        concat!(
            "ldr r12, [sp, #", $enter, "]\n",
            "tbb [pc, r12]\n",
            "3: .byte (51f - 3b) / 2, (52f - 3b) / 2, (53f - 3b) / 2, (54f - 3b) / 2\n",
            "50:\n", $group, "\n",
            "51:\n", $group, "\n",
            "52:\n", $group, "\n",
            "53:\n", $group, "\n",
            "54: subs ", $count, ", ", $count, ", #256\n",
            "bcs 50b\n"
        )
    };
}

mod many;
mod single;

pub(super) use many::{one_by_four, two_by_two};
pub(super) use single::{four, one, two};

/// Groups in the loop.
const UNROLLED: usize = 4;

/// What the loops read. They copy all but the last three words to the stack: every register is taken.
#[repr(C)]
pub(super) struct Outputs {
    /// Read together, when an output is rescaled.
    pub mantissas: *const Word,
    pub shifts: *const i8,
    /// Twice the output's zero point, and one for the half that rounds, times 2^23.
    pub offset: i32,
    /// The first patch's outputs; those of the next patch lie `stride` bytes further.
    pub to: *mut i8,
    pub stride: usize,
    /// From the end of an output's weights to the begin of the next one's.
    pub rewind: isize,
    /// Read together, when an output begins.
    pub patches: *const u32,
    /// How often the loop runs but one, times 256, plus `step` where that fits; and after which of its groups but one it is
    /// entered.
    pub loops: usize,
    pub enter: usize,
    pub biases: *const Word,
    /// The output after the last.
    pub end: usize,
    /// The weights of output `first`.
    pub weights: *const i8,
    pub first: usize,
    /// Bytes between the groups of an output.
    pub step: usize,
}

/// Bytes between the groups of a whole block.
pub(super) const WHOLE: usize = BLOCK * GROUP;

/// Of half a block.
pub(super) const HALF: usize = WHOLE / 2;

/// Any number of bytes between groups.
pub(super) const ANY: usize = 0;

impl Outputs {
    /// Sets how the loops walk over so many groups, `step` bytes apart, for so many outputs at once.
    pub(super) fn walk(&mut self, groups: usize, outputs: usize, step: usize) {
        // Where an output is computed by itself, its first group is before the loop.
        let left = if outputs == 1 { groups.wrapping_sub(1) } else { groups };
        (self.loops, self.enter) = ((left / UNROLLED) << 8 | step & 255, UNROLLED - 1 - left % UNROLLED);
        self.step = step;
        self.rewind = (outputs * GROUP) as isize - (groups * step) as isize;
    }
}
