//! What the rows of a picture or a camera's frame are made of.

use crate::picture::PictureError;

/// How the pixels of a row lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PixelFormat {
    /// A byte, 0 black to 255 white.
    Grey,
    /// Red, green and blue, a byte each.
    Rgb888,
    /// 5, 6 and 5 bits of red, green and blue in 16 bits, the lower byte first, as a display's memory has them.
    Rgb565,
    /// The same, the upper byte first, as most camera modules send them.
    Rgb565Be,
    /// Y, U, Y, V: two pixels in 4 bytes, Rec. 601 with Y from 16 to 235 (YUV 4:2:2, "YUY2").
    Yuyv,
}

/// What a row's pixels are, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Columns, 1 to 65,535.
    pub width: usize,
    /// Rows, 1 to 65,535.
    pub height: usize,
    /// How the pixels of a row lie.
    pub format: PixelFormat,
}

impl Source {
    /// The longest side: sums of the scaling are made for it.
    const MOST: usize = 65_535;

    /// Bytes of a row.
    pub const fn row_len(&self) -> usize {
        match self.format {
            PixelFormat::Grey => self.width,
            PixelFormat::Rgb888 => self.width.saturating_mul(3),
            PixelFormat::Rgb565 | PixelFormat::Rgb565Be => self.width.saturating_mul(2),
            PixelFormat::Yuyv => self.width.div_ceil(2).saturating_mul(4),
        }
    }

    pub(super) fn check(&self) -> Result<(), PictureError> {
        let Self { width, height, .. } = *self;
        if width == 0 || height == 0 {
            return Err(PictureError::Size { width, height, pixels: 0 });
        }
        if width > Self::MOST || height > Self::MOST {
            return Err(PictureError::Side { width, height });
        }
        Ok(())
    }
}

impl PixelFormat {
    /// The pixel of a column as `C` channels: grey for one, else red, green and blue. Outside the row it is black.
    #[inline(always)]
    pub(super) fn pixel<const C: usize>(self, row: &[u8], column: usize) -> [u8; C] {
        match self {
            Self::Grey => [row.get(column).copied().unwrap_or(0); C],
            Self::Rgb888 => of_rgb(at(row, column * 3)),
            Self::Rgb565 => of_rgb(rgb565(u16::from_le_bytes(at(row, column * 2)))),
            Self::Rgb565Be => of_rgb(rgb565(u16::from_be_bytes(at(row, column * 2)))),
            Self::Yuyv => {
                let [y0, u, y1, v] = at(row, column / 2 * 4);
                let luma = if column.is_multiple_of(2) { y0 } else { y1 };
                of_rgb(rec601(luma, u, v))
            }
        }
    }
}

fn at<const N: usize>(row: &[u8], from: usize) -> [u8; N] {
    row.get(from..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

#[inline(always)]
fn of_rgb<const C: usize>(rgb: [u8; 3]) -> [u8; C] {
    if C == 1 { [luma(rgb); C] } else { core::array::from_fn(|channel| rgb[channel % 3]) }
}

/// Rec. 601 luma, 0.299 R + 0.587 G + 0.114 B, with weights in 1/256.
pub const fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((77 * red as u32 + 150 * green as u32 + 29 * blue as u32 + 128) >> 8) as u8
}

/// Each colour scaled so that its brightest is 255, rounded.
fn rgb565(pixel: u16) -> [u8; 3] {
    let wide = |bits: u16, from: u32| ((u32::from(bits) * 255 + from / 2) / from) as u8;
    [wide(pixel >> 11, 31), wide(pixel >> 5 & 63, 63), wide(pixel & 31, 31)]
}

/// Rec. 601 in 1/256, of Y from 16 to 235 and of U and V from 16 to 240.
fn rec601(y: u8, u: u8, v: u8) -> [u8; 3] {
    let [y, u, v] = [i32::from(y) - 16, i32::from(u) - 128, i32::from(v) - 128];
    [298 * y + 409 * v, 298 * y - 100 * u - 208 * v, 298 * y + 516 * u]
        .map(|value| ((value + 128) >> 8).clamp(0, 255) as u8)
}
