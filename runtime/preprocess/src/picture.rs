//! An 8-bit picture of any size, grey or coloured, borrowed from the caller.

use core::fmt;

/// An 8-bit picture: `height` rows of `width` pixels, row-major; a pixel is a byte, 0 = black, 255 = white, or three, red, green
/// and blue.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    width: usize,
    height: usize,
    /// Bytes of a row.
    stride: usize,
    pixels: &'a [u8],
}

/// Why a picture cannot be turned into an input tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PictureError {
    /// Width or height is zero, or their product is not the number of pixels.
    Size {
        /// Columns claimed.
        width: usize,
        /// Rows claimed.
        height: usize,
        /// Bytes given.
        pixels: usize,
    },
    /// More than [`Picture::MAX_PIXELS`] pixels.
    TooLarge {
        /// Columns given.
        width: usize,
        /// Rows given.
        height: usize,
    },
    /// A side of more than 65,535 pixels, where the picture is scaled.
    Side {
        /// Columns given.
        width: usize,
        /// Rows given.
        height: usize,
    },
    /// A row of another length than the source's.
    RowLength {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// There is nothing to read: no ink stands out from the paper and its noise, or it spans fewer than 5 pixels.
    Blank,
    /// The output buffer has the wrong length.
    OutputLength {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The model's recipe is of a kind that this library does not know, or not valid.
    Recipe,
    /// The recipe is for grey pictures, this one is coloured.
    Coloured,
    /// The workspace is too short for a picture of this size.
    WorkspaceLength {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
}

impl fmt::Display for PictureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { width, height, pixels } => {
                write!(
                    f,
                    "a picture of {width}x{height} needs {width}*{height} pixels, at least one; found {pixels}"
                )
            }
            Self::TooLarge { width, height } => {
                write!(
                    f,
                    "a picture of {width}x{height} is too large: at most {} pixels, make it smaller",
                    Picture::MAX_PIXELS
                )
            }
            Self::Side { width, height } => {
                write!(
                    f,
                    "a picture of {width}x{height} is too long: sides up to 65535 pixels are scaled, make it smaller"
                )
            }
            Self::RowLength { expected, found } => write!(f, "a row has {expected} bytes, found {found}"),
            Self::Blank => f.write_str("the picture is blank: no ink stands out from its background"),
            Self::Recipe => f.write_str(
                "the model's recipe is not valid, or of an unknown kind that needs a newer library",
            ),
            Self::Coloured => {
                f.write_str("the recipe is for grey pictures, this one is coloured: make it grey")
            }
            Self::OutputLength { expected, found } => {
                write!(f, "the output needs {expected} bytes, found {found}")
            }
            Self::WorkspaceLength { expected, found } => {
                write!(
                    f,
                    "the picture needs a workspace of {expected} bytes, found {found}: give more or a smaller picture"
                )
            }
        }
    }
}

impl core::error::Error for PictureError {}

impl<'a> Picture<'a> {
    /// The largest picture, in pixels: the sums of the pre-processing are sized for it.
    pub const MAX_PIXELS: usize = 100_000_000;

    /// Borrows `pixels` as a grey picture of `width` columns and `height` rows.
    ///
    /// # Errors
    /// [`PictureError::Size`] if a side is zero or `width * height != pixels.len()`,
    /// [`PictureError::TooLarge`] above [`Picture::MAX_PIXELS`].
    pub fn new(width: usize, height: usize, pixels: &'a [u8]) -> Result<Self, PictureError> {
        Self::of_bytes(width, height, 1, pixels)
    }

    /// Borrows `pixels` as a coloured picture, red, green and blue of each pixel in turn.
    ///
    /// # Errors
    /// As [`Picture::new`], for three times as many bytes.
    pub fn rgb(width: usize, height: usize, pixels: &'a [u8]) -> Result<Self, PictureError> {
        Self::of_bytes(width, height, 3, pixels)
    }

    fn of_bytes(
        width: usize,
        height: usize,
        channels: usize,
        pixels: &'a [u8],
    ) -> Result<Self, PictureError> {
        match width.checked_mul(height) {
            Some(area) if area > Self::MAX_PIXELS => Err(PictureError::TooLarge { width, height }),
            Some(area) if area > 0 && area.checked_mul(channels) == Some(pixels.len()) => {
                Ok(Self { width, height, stride: width * channels, pixels })
            }
            _ => Err(PictureError::Size { width, height, pixels: pixels.len() / channels }),
        }
    }

    /// Bytes of a pixel: 1 or 3.
    pub fn channels(&self) -> usize {
        if self.stride == self.width { 1 } else { 3 }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The row `y`, or an empty slice below the last one.
    pub fn row(&self, y: usize) -> &'a [u8] {
        let start = y.saturating_mul(self.stride);
        self.pixels.get(start..start.saturating_add(self.stride)).unwrap_or(&[])
    }
}
