//! What the loops are told: which outputs, of which patches.

use crate::operator::Word;
use crate::packing::{BLOCK, GROUP};

/// Groups in the loop.
const UNROLLED: usize = 4;

/// What the loops read. They copy all but the last three words to the stack: every register is taken.
#[repr(C)]
pub struct Outputs {
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
pub const WHOLE: usize = BLOCK * GROUP;

/// Of half a block.
pub const HALF: usize = WHOLE / 2;

/// Any number of bytes between groups.
pub const ANY: usize = 0;

impl Outputs {
    /// Sets how the loops walk over so many groups, `step` bytes apart, for so many outputs at once.
    pub fn walk(&mut self, groups: usize, outputs: usize, step: usize) {
        // Where an output is computed by itself, its first group is before the loop.
        let left = if outputs == 1 { groups.wrapping_sub(1) } else { groups };
        (self.loops, self.enter) = ((left / UNROLLED) << 8 | step & 255, UNROLLED - 1 - left % UNROLLED);
        self.step = step;
        self.rewind = (outputs * GROUP) as isize - (groups * step) as isize;
    }
}
