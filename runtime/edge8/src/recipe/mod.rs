//! The pre-processing recipe that a model image carries: what the record says. Package `edge8-preprocess` does it.

mod digit;
mod scaled;

pub use digit::{Digit, Framing};
pub use scaled::{Fit, Scaled, Sizing};

use crate::bytes;
use crate::tensor::Shape;

/// How a picture becomes the input tensor.
///
/// In the image: `u16` kind, and then what the kind has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Recipe<'a> {
    /// Kind 1: the digit is found and framed.
    Digit(Digit<'a>),
    /// Kind 2: the picture is scaled.
    Picture(Scaled<'a>),
}

/// A recipe up to the bytes that its tables turn into int8: what training shares with the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// The digit is found and framed, light on dark.
    Digit(Framing),
    /// The picture is scaled.
    Picture(Sizing),
}

impl Preparation {
    /// Rows, columns and channels of the bytes.
    pub const fn shape(&self) -> Shape {
        match *self {
            Self::Digit(Framing { side, .. }) => Shape { height: side, width: side, channels: 1 },
            Self::Picture(Sizing { height, width, channels, .. }) => {
                Shape { height, width, channels: channels as u16 }
            }
        }
    }
}

impl<'a> Recipe<'a> {
    /// Reads a recipe section; [`None`] if its kind, its length or what it says is not valid.
    pub fn parse(section: &'a [u8]) -> Option<Self> {
        match bytes::u16(section, 0)? {
            digit::KIND => Digit::parse(section).map(Self::Digit),
            scaled::KIND => Scaled::parse(section).map(Self::Picture),
            _ => None,
        }
    }

    /// What it says if it is for digits.
    pub const fn digit(&self) -> Option<Digit<'a>> {
        match *self {
            Self::Digit(digit) => Some(digit),
            Self::Picture(_) => None,
        }
    }

    /// What happens before its tables.
    pub const fn preparation(&self) -> Preparation {
        match self {
            Self::Digit(digit) => Preparation::Digit(digit.framing()),
            Self::Picture(scaled) => Preparation::Picture(scaled.sizing()),
        }
    }

    /// The int8 value of each byte, a table for each channel.
    pub const fn tables(&self) -> &'a [[i8; 256]] {
        match self {
            Self::Digit(digit) => core::slice::from_ref(digit.table()),
            Self::Picture(scaled) => scaled.tables(),
        }
    }

    /// The input tensor that the recipe fills.
    pub const fn input_shape(&self) -> Shape {
        self.preparation().shape()
    }
}
