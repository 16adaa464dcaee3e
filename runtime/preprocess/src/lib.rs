//! From a picture to the input tensor, in integers: training, calibration and the device share this code.
//!
//! [`apply`] does what a model image's [`Recipe`](edge8::Recipe) says. Nothing here allocates, uses a float or can panic.
//!
//! | module | subject |
//! | --- | --- |
//! | [`picture`](Picture) | an 8-bit picture, grey or coloured, borrowed |
//! | [`digit`] | finds a digit and frames it |
//! | [`scale`] | scales pictures of any kind, and a camera's frames row by row |
//!
//! ```
//! use edge8_preprocess::{Picture, digit};
//!
//! // A 28x28 picture with a vertical stroke, as a touch screen or a camera would deliver it.
//! let mut pixels = [0u8; 28 * 28];
//! for y in 4..24 {
//!     pixels[y * 28 + 13..y * 28 + 15].fill(255);
//! }
//! let picture = Picture::new(28, 28, &pixels)?;
//! let mut workspace = digit::Workspace::new();
//! let mut framed = [0; 32 * 32];
//! digit::frame(&picture, edge8::Framing::mnist(32), workspace.bytes(), &mut framed)?;
//! assert_eq!((framed[0], framed[16 * 32 + 16]), (0, 255));
//! # Ok::<(), edge8_preprocess::PictureError>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod digit;
mod picture;
mod recipe;
pub mod scale;

pub use picture::{Picture, PictureError};
pub use recipe::{apply, prepare, workspace_len};
pub use scale::luma;
