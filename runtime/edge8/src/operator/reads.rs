//! Which rows of an input a row of the output is made from.

use super::window::Window;
use core::ops::Range;

/// Which rows of an input a row of the output is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// All.
    All,
    /// The one of the same number; of an input of one row, that row.
    Same,
    /// Those that a window meets.
    Window(Window),
}

impl Reads {
    /// Rows of an input of this height that must be there to compute one row of the output, or the output.
    #[inline]
    pub const fn at_once(&self, height: u16) -> u16 {
        match self {
            Self::All => height,
            Self::Same => 1,
            Self::Window(window) if window.kernel[0] < height => window.kernel[0],
            Self::Window(_) => height,
        }
    }

    /// The rows of an input of this height that row `row` of the output is made from.
    pub fn rows(&self, row: usize, height: usize) -> Range<usize> {
        match self {
            Self::All => 0..height,
            Self::Same if height == 1 => 0..1,
            Self::Same => row..row.saturating_add(1),
            Self::Window(window) => {
                let (first, taps) = window.clip(0, row, height);
                first..first.saturating_add(taps.len())
            }
        }
    }
}
