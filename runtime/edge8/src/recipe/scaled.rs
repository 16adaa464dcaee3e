//! The recipe for pictures of any kind.

use crate::bytes;
use crate::cast;

/// Scale the picture, quantise each channel.
pub(super) const KIND: u16 = 2;

/// Bytes before the tables.
const HEAD: usize = 16;

/// The longest side of an input: sums of the scaling are made for it.
const MOST: u16 = 4096;

/// What happens where the sides of picture and input are not in the same proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The picture is stretched.
    Stretch,
    /// What protrudes is cut off, on both sides alike.
    Crop,
    /// The rest of the input is filled, on both sides alike.
    Letterbox,
}

/// How a picture is laid into the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizing {
    /// Rows of the input tensor, 1 to 4096.
    pub height: u16,
    /// Columns of the input tensor, 1 to 4096.
    pub width: u16,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: u8,
    /// What happens to other proportions.
    pub fit: Fit,
    /// The byte around a letterboxed picture, in all channels.
    pub fill: u8,
}

impl Sizing {
    /// Stretches grey pictures (1 channel) or coloured ones (3) to a size.
    pub const fn stretch([height, width]: [u16; 2], channels: u8) -> Self {
        Self { height, width, channels, fit: Fit::Stretch, fill: 0 }
    }

    /// Whether sides and channels are in their ranges.
    pub const fn is_valid(&self) -> bool {
        let sides = self.height >= 1 && self.height <= MOST && self.width >= 1 && self.width <= MOST;
        sides && matches!(self.channels, 1 | 3)
    }
}

/// A sizing, and for each channel a table from byte to int8, which holds the network's mean and standard deviation.
///
/// In the image: `u16` kind 2, `u16` height, `u16` width, `u8` channels, `u8` fit (0 stretch, 1 crop, 2 letterbox), `u8` fill,
/// `[u8; 7]` 0, then `[i8; 256]` for each channel.
#[derive(Clone, Copy, Debug)]
pub struct Scaled<'a> {
    sizing: Sizing,
    tables: &'a [[i8; 256]],
}

impl<'a> Scaled<'a> {
    pub(super) fn parse(section: &'a [u8]) -> Option<Self> {
        let (head, tables) = section.split_first_chunk::<HEAD>()?;
        let &[_, _, _, _, _, _, channels, fit, fill, rest @ ..] = head;
        let fit = match fit {
            0 => Fit::Stretch,
            1 => Fit::Crop,
            2 => Fit::Letterbox,
            _ => return None,
        };
        let sizing =
            Sizing { height: bytes::u16(head, 2)?, width: bytes::u16(head, 4)?, channels, fit, fill };
        let (tables, others) = cast::as_i8(tables).as_chunks();
        let whole = others.is_empty() && tables.len() == usize::from(channels);
        (whole && sizing.is_valid() && rest == [0; 7]).then_some(Self { sizing, tables })
    }

    /// The bytes of a recipe section before the tables, which follow in the order of the channels.
    pub fn encode(sizing: Sizing) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        let fields = [KIND, sizing.height, sizing.width];
        for (place, field) in head.as_chunks_mut().0.iter_mut().zip(fields) {
            *place = field.to_le_bytes();
        }
        head[6] = sizing.channels;
        head[7] = match sizing.fit {
            Fit::Stretch => 0,
            Fit::Crop => 1,
            Fit::Letterbox => 2,
        };
        head[8] = sizing.fill;
        head
    }

    /// How the picture is laid into the input.
    pub const fn sizing(&self) -> Sizing {
        self.sizing
    }

    /// The int8 value of each byte, for each channel.
    pub const fn tables(&self) -> &'a [[i8; 256]] {
        self.tables
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Preparation, Recipe};
    use std::vec::Vec;

    fn section(sizing: Sizing) -> Vec<u8> {
        let mut section = Scaled::encode(sizing).to_vec();
        section.extend((0..usize::from(sizing.channels) * 256).map(|index| (index * 3) as u8));
        section
    }

    #[test]
    fn bytes_and_back() {
        for fit in [Fit::Stretch, Fit::Crop, Fit::Letterbox] {
            for channels in [1, 3] {
                let sizing = Sizing { height: 20, width: 32, channels, fit, fill: 114 };
                let section = section(sizing);
                let recipe = Recipe::parse(&section).unwrap();
                assert_eq!(recipe.preparation(), Preparation::Picture(sizing));
                assert_eq!(recipe.tables().len(), usize::from(channels));
                assert_eq!(
                    recipe.tables()[usize::from(channels) - 1][1],
                    ((channels as i32 - 1) * 768 + 3) as i8
                );
            }
        }
    }

    #[test]
    fn damaged_recipes_are_refused() {
        let right = section(Sizing::stretch([20, 32], 3));
        for length in 0..right.len() {
            assert!(Recipe::parse(&right[..length]).is_none());
        }
        for (place, value) in
            [(0, 3), (1, 1), (2, 0), (3, 17), (4, 0), (6, 2), (6, 1), (7, 3), (9, 1), (15, 1)]
        {
            let mut damaged = right.clone();
            damaged[place] = value;
            assert!(Recipe::parse(&damaged).is_none(), "byte {place} = {value}");
        }
    }
}
