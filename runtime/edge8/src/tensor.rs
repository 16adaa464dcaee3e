//! What a tensor is: a shape, a quantisation, a place in the arena.

use crate::bytes;
use crate::format;
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

    /// Whether both are the same, at compile time too.
    pub(crate) const fn equals(self, other: Self) -> bool {
        self.height == other.height && self.width == other.width && self.channels == other.channels
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

    /// Whether the arena has bytes that both tensors take.
    #[cfg_attr(device, inline(never))]
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let [place, other] = [self.range(), other.range()];
        place.start < other.end && other.start < place.end
    }

    /// Values of a row, `width * channels`.
    pub fn row_len(&self) -> usize {
        usize::from(self.shape.width).wrapping_mul(self.shape.channels.into())
    }

    /// Whether the arena keeps all rows.
    pub const fn is_whole(&self) -> bool {
        self.rows == self.shape.height
    }

    /// The place of a row among those that are kept.
    #[inline]
    pub(crate) const fn slot(&self, row: usize) -> usize {
        // Divisions are slow, 64-bit ones most of all.
        if self.is_whole() {
            return row;
        }
        match (row as u32).checked_rem(self.rows as u32) {
            Some(slot) => slot as usize,
            None => 0,
        }
    }

    /// Where the arena has `rows` rows from `row` on, and how many of them lie there before the place of row 0 comes
    /// again.
    #[cfg_attr(device, inline(never))]
    pub(crate) fn place(&self, row: usize, rows: usize) -> (Range<usize>, usize) {
        let kept = usize::from(self.rows);
        let slot = self.slot(row);
        let rows = rows.min(kept.wrapping_sub(slot));
        let start = (self.offset as usize).wrapping_add(slot.wrapping_mul(self.row_len()));
        (start..start.wrapping_add(rows.wrapping_mul(self.row_len())), rows)
    }

    /// Whether a value means the same real number in both tensors; scales are compared by their bits.
    pub(crate) const fn shares_quantisation(&self, other: &Self) -> bool {
        self.zero_point == other.zero_point && self.scale.to_bits() == other.scale.to_bits()
    }

    /// Reads a tensor record; [`None`] if it is cut short. What it says is checked by [`Tensor::is_valid`].
    #[inline]
    pub(crate) fn decode(record: &[u8], at: usize) -> Option<Self> {
        let record = record.get(at..)?.first_chunk::<{ format::TENSOR_LEN }>()?;
        let height = bytes::u16(record, 4)?;
        let shape = Shape { height, width: bytes::u16(record, 6)?, channels: bytes::u16(record, 8)? };
        Some(Self {
            offset: bytes::u32(record, 0)?,
            shape,
            rows: match bytes::u8(record, 11)? {
                0 => height,
                rows => u16::from(rows),
            },
            zero_point: bytes::i8(record, 10)?,
            scale: f32::from_bits(bytes::u32(record, 12)?),
        })
    }

    /// The tensor record, [`format::TENSOR_LEN`] bytes; a ring has at most 255 rows.
    #[doc(hidden)]
    pub fn encode(&self) -> [u8; format::TENSOR_LEN] {
        let Shape { height, width, channels } = self.shape;
        let rows = if self.is_whole() { 0 } else { self.rows as u8 };
        let [a, b, c, d] = self.offset.to_le_bytes();
        let ([e, f], [g, h], [i, j]) = (height.to_le_bytes(), width.to_le_bytes(), channels.to_le_bytes());
        let [k, l, m, n] = self.scale.to_bits().to_le_bytes();
        [a, b, c, d, e, f, g, h, i, j, self.zero_point as u8, rows, k, l, m, n]
    }

    /// Whether no side is zero, no more rows are kept than there are, the scale is positive and finite, and the tensor is
    /// not too large for any arena.
    pub(crate) fn is_valid(&self) -> bool {
        let len = self.shape.checked_len();
        let placed = len.is_some_and(|len| (self.offset as usize).checked_add(len).is_some());
        // Positive and finite, told by the bits: the library does no float arithmetic.
        placed
            && self.rows <= self.shape.height
            && (1..f32::INFINITY.to_bits()).contains(&self.scale.to_bits())
    }
}
