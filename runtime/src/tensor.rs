//! What a tensor is: a shape, a quantisation, a place in the arena.

use crate::image::bytes;
use core::ops::Range;

/// Height, width and channels of one image's activations, stored channels last (HWC, row-major).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows, at least 1.
    pub height: u16,
    /// Columns, at least 1.
    pub width: u16,
    /// Channels, at least 1.
    pub channels: u16,
}

impl Shape {
    /// Number of values, `height * width * channels`; [`None`] if a side is 0 or the product exceeds 32 bits.
    pub const fn checked_len(self) -> Option<usize> {
        let len = self.height as u64 * self.width as u64 * self.channels as u64;
        if len == 0 || len > u32::MAX as u64 { None } else { Some(len as usize) }
    }

    /// Number of values. Of a tensor of a parsed model this is exact and at least 1.
    pub const fn len(self) -> usize {
        self.pixels().wrapping_mul(self.channels as usize)
    }

    /// Whether a side is zero; never so in a parsed model.
    pub const fn is_empty(self) -> bool {
        self.height == 0 || self.width == 0 || self.channels == 0
    }

    /// Number of pixels, `height * width`.
    pub const fn pixels(self) -> usize {
        (self.height as usize).wrapping_mul(self.width as usize)
    }
}

/// An int8 activation tensor: `real = (q - zero_point) * scale`.
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    /// First byte in the arena.
    pub offset: u32,
    /// Height, width and channels.
    pub shape: Shape,
    /// Rows that the arena keeps: all, or, of a tensor that is streamed, the last few. Row `y` lies in the place of row
    /// `y % rows`.
    pub rows: u16,
    /// The int8 value of real 0, in [-128, 127].
    pub zero_point: i8,
    /// Step between two neighbouring values; for tools and reports, the kernels never read it.
    pub scale: f32,
}

impl PartialEq for Tensor {
    /// Scales are compared by their bits: the library does no float arithmetic, not even a comparison.
    fn eq(&self, other: &Self) -> bool {
        (self.offset, self.shape, self.rows) == (other.offset, other.shape, other.rows)
            && self.shares_quantisation(other)
    }
}

impl Tensor {
    /// The bytes of the arena that the tensor takes.
    pub fn range(&self) -> Range<usize> {
        let start = self.offset as usize;
        start..start.saturating_add(self.row_len().wrapping_mul(self.rows.into()))
    }

    /// Values of a row, `width * channels`.
    pub fn row_len(&self) -> usize {
        usize::from(self.shape.width).wrapping_mul(self.shape.channels.into())
    }

    /// Whether the arena keeps all rows.
    pub const fn is_whole(&self) -> bool {
        self.rows == self.shape.height
    }

    /// Where the arena has `rows` rows from `row` on, and how many of them lie there before the place of row 0 comes
    /// again.
    pub(crate) fn place(&self, row: usize, rows: usize) -> (Range<usize>, usize) {
        let kept = usize::from(self.rows);
        let slot = row.checked_rem(kept).unwrap_or(0);
        let rows = rows.min(kept.wrapping_sub(slot));
        let start = (self.offset as usize).wrapping_add(slot.wrapping_mul(self.row_len()));
        (start..start.wrapping_add(rows.wrapping_mul(self.row_len())), rows)
    }

    /// Whether a value means the same real number in both tensors; scales are compared by their bits.
    pub(crate) const fn shares_quantisation(&self, other: &Self) -> bool {
        self.zero_point == other.zero_point && self.scale.to_bits() == other.scale.to_bits()
    }

    /// Reads a tensor record of [`layout::TENSOR_LEN`](crate::image::layout::TENSOR_LEN) bytes.
    ///
    /// [`None`] if the record is cut short, a side is zero, more rows are kept than there are, the scale is not positive
    /// and finite, or the tensor is too large for any arena.
    #[inline]
    pub(crate) fn decode(record: &[u8], at: usize) -> Option<Self> {
        let shape = Shape {
            height: bytes::u16(record, at.checked_add(4)?)?,
            width: bytes::u16(record, at.checked_add(6)?)?,
            channels: bytes::u16(record, at.checked_add(8)?)?,
        };
        let offset = bytes::u32(record, at)?;
        let scale = bytes::u32(record, at.checked_add(12)?)?;
        // Positive and finite, told by the bits: the library does no float arithmetic.
        if !(1..f32::INFINITY.to_bits()).contains(&scale) {
            return None;
        }
        (offset as usize).checked_add(shape.checked_len()?)?;
        let rows = match bytes::u8(record, at.checked_add(11)?)? {
            0 => shape.height,
            rows => u16::from(rows),
        };
        if rows > shape.height {
            return None;
        }
        Some(Self {
            offset,
            shape,
            rows,
            zero_point: bytes::i8(record, at.checked_add(10)?)?,
            scale: f32::from_bits(scale),
        })
    }
}
