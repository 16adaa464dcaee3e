//! The pre-processing recipe that a model image carries.

use super::{Framing, frame};
use crate::cast;
use crate::image::bytes;
use crate::picture::{Picture, PictureError};

/// Kind of recipe: find the digit, frame it, quantise.
const DIGIT: u16 = 1;

/// How a picture becomes the input tensor: a framing and a table from grey level to int8.
///
/// In the image: `u16` kind (1, digit), `u16` side, `u16` digit, `u16` 0, `[i8; 256]` table.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    framing: Framing,
    table: &'a [i8; 256],
}

impl<'a> Recipe<'a> {
    /// Reads a recipe section; [`None`] if its length, kind or framing is not valid.
    pub fn parse(section: &'a [u8]) -> Option<Self> {
        let (head, table) = section.split_first_chunk::<8>()?;
        let framing = Framing { side: bytes::u16(head, 2)?, digit: bytes::u16(head, 4)? };
        let known = bytes::u16(head, 0)? == DIGIT && bytes::u16(head, 6)? == 0;
        let fits = framing.digit >= 1 && framing.digit <= framing.side;
        (known && fits).then_some(Self { framing, table: cast::as_i8(table).try_into().ok()? })
    }

    /// The bytes of a recipe section.
    pub fn encode(framing: Framing, table: &[i8; 256]) -> [u8; 264] {
        let mut section = [0; 264];
        let (head, body) = section.split_at_mut(8);
        let fields = [DIGIT, framing.side, framing.digit, 0];
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

    /// Values that [`Recipe::apply`] writes.
    pub const fn input_len(&self) -> usize {
        (self.framing.side as usize).wrapping_mul(self.framing.side as usize)
    }

    /// Turns a picture into the input tensor (`side * side` values, row-major).
    ///
    /// # Errors
    /// As [`frame`].
    pub fn apply(
        &self,
        picture: &Picture<'_>,
        workspace: &mut [u8],
        input: &mut [i8],
    ) -> Result<(), PictureError> {
        let framed = cast::as_u8_mut(input);
        frame(picture, self.framing, workspace, framed)?;
        for grey in framed {
            *grey = self.table[usize::from(*grey)] as u8;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_back() {
        let table: [i8; 256] = core::array::from_fn(|index| (index as i32 - 128) as i8);
        let bytes = Recipe::encode(Framing { side: 32, digit: 23 }, &table);
        let recipe = Recipe::parse(&bytes).unwrap();
        assert_eq!(recipe.framing(), Framing { side: 32, digit: 23 });
        assert_eq!((recipe.table[0], recipe.table[200], recipe.input_len()), (-128, 72, 1024));
    }

    #[test]
    fn damaged_recipes_are_refused() {
        let bytes = Recipe::encode(Framing { side: 32, digit: 23 }, &[0; 256]);
        for length in 0..bytes.len() {
            assert!(Recipe::parse(&bytes[..length]).is_none());
        }
        for (place, value) in [(0, 2), (1, 1), (2, 0), (4, 0), (4, 33), (6, 1)] {
            let mut damaged = bytes;
            damaged[place] = value;
            assert!(Recipe::parse(&damaged).is_none(), "byte {place} = {value}");
        }
    }
}
