//! A picture of any size and kind, scaled to the network's input, row by row: of a camera's frame nothing is kept but what one
//! row of the input needs.
//!
//! Where there are more pixels than the input has, they are averaged by the area that they cover; where there are fewer,
//! values lie on straight lines between the centres of pixels. Rows and columns are treated one after the other, each by
//! itself, and in integers: 8 bits are kept behind the point in between.
//!
//! ```
//! use edge8::Sizing;
//! use edge8_preprocess::scale::{PixelFormat, Rows, Source, workspace_len};
//!
//! // A camera of 4x2 pixels in RGB565, a network that reads 2x1 in colour.
//! const SIZING: Sizing = Sizing::stretch([1, 2], 3);
//! let mut workspace = [0; workspace_len(&SIZING)];
//! let mut bytes = [0; 6];
//! let source = Source { width: 4, height: 2, format: PixelFormat::Rgb565 };
//! let mut rows = Rows::new(SIZING, None, source, &mut workspace, &mut bytes)?;
//! for row in [[0x00, 0xF8, 0x00, 0xF8, 0x1F, 0x00, 0x1F, 0x00]; 2] {
//!     rows.push(&row)?;
//! }
//! assert_eq!(bytes, [255, 0, 0, 0, 0, 255]);
//! # Ok::<(), edge8_preprocess::PictureError>(())
//! ```

mod area;
mod axis;
mod line;
mod pixels;
mod rows;

#[cfg(test)]
mod tests;

pub use pixels::{PixelFormat, Source, luma};
pub use rows::{Rows, workspace_len};

use crate::picture::{Picture, PictureError};
use edge8::Sizing;

/// Scales a whole picture into bytes, `[row][column][channel]`; with `tables`, one for each channel, into int8 values.
pub(crate) fn picture(
    sizing: Sizing,
    tables: Option<&[[i8; 256]]>,
    picture: &Picture<'_>,
    workspace: &mut [u8],
    bytes: &mut [u8],
) -> Result<(), PictureError> {
    let format = if picture.channels() == 1 { PixelFormat::Grey } else { PixelFormat::Rgb888 };
    let source = Source { width: picture.width(), height: picture.height(), format };
    let mut rows = Rows::new(sizing, tables, source, workspace, bytes)?;
    (0..picture.height()).try_for_each(|y| rows.push(picture.row(y)))
}
