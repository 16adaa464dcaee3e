//! The recipe for digits.

use crate::bytes;
use crate::cast;

/// Find the digit, frame it, quantise.
pub(super) const KIND: u16 = 1;

/// Bytes of such a section.
const LEN: usize = 264;

/// How a digit is laid into the square input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Rows and columns of the input tensor.
    pub side: u16,
    /// Length of the digit's longer side in the input tensor, at least 1 and at most `side`.
    pub digit: u16,
}

impl Framing {
    /// MNIST's own proportions: the longer side of the digit takes 20/28 of the input.
    pub const fn mnist(side: u16) -> Self {
        Self { side, digit: ((side as u32 * 20 + 14) / 28) as u16 }
    }
}

/// A framing and a table from grey level to int8.
///
/// In the image: `u16` kind 1, `u16` side, `u16` digit, `u16` 0, `[i8; 256]` table.
#[derive(Clone, Copy, Debug)]
pub struct Digit<'a> {
    framing: Framing,
    table: &'a [i8; 256],
}

impl<'a> Digit<'a> {
    /// Reads a section with a recipe of this kind; [`None`] if it is of another, or not valid. A program that reads nothing but
    /// digits has no code for other recipes then.
    pub fn parse(section: &'a [u8]) -> Option<Self> {
        let (head, table) = section.split_first_chunk::<8>()?;
        if bytes::u16(head, 0)? != KIND {
            return None;
        }
        let framing = Framing { side: bytes::u16(head, 2)?, digit: bytes::u16(head, 4)? };
        let fits = bytes::u16(head, 6)? == 0 && framing.digit >= 1 && framing.digit <= framing.side;
        fits.then_some(Self { framing, table: cast::as_i8(table).try_into().ok()? })
    }

    /// The bytes of a recipe section.
    pub fn encode(framing: Framing, table: &[i8; 256]) -> [u8; LEN] {
        let mut section = [0; LEN];
        let (head, body) = section.split_at_mut(8);
        let fields = [KIND, framing.side, framing.digit, 0];
        for (place, field) in head.as_chunks_mut().0.iter_mut().zip(fields) {
            *place = field.to_le_bytes();
        }
        body.copy_from_slice(cast::as_u8(table));
        section
    }

    /// How the digit is laid into the input.
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// The int8 value of each grey level.
    pub const fn table(&self) -> &'a [i8; 256] {
        self.table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use crate::tensor::Shape;

    #[test]
    fn bytes_and_back() {
        let table: [i8; 256] = core::array::from_fn(|index| (index as i32 - 128) as i8);
        let bytes = Digit::encode(Framing { side: 32, digit: 23 }, &table);
        let recipe = Recipe::parse(&bytes).unwrap();
        assert_eq!(recipe.input_shape(), Shape { height: 32, width: 32, channels: 1 });
        let digit = recipe.digit().unwrap();
        assert_eq!(digit.framing(), Framing { side: 32, digit: 23 });
        assert_eq!((digit.table()[0], digit.table()[200]), (-128, 72));
    }

    #[test]
    fn damaged_recipes_are_refused() {
        let bytes = Digit::encode(Framing { side: 32, digit: 23 }, &[0; 256]);
        for length in 0..bytes.len() {
            assert!(Recipe::parse(&bytes[..length]).is_none());
        }
        for (place, value) in [(0, 3), (1, 1), (2, 0), (4, 0), (4, 33), (6, 1)] {
            let mut damaged = bytes;
            damaged[place] = value;
            assert!(Recipe::parse(&damaged).is_none(), "byte {place} = {value}");
        }
    }
}
