//! The colours of each kind of display.

use edge8_preprocess::luma;
use embedded_graphics::pixelcolor::{BinaryColor, Rgb565};
use embedded_graphics::prelude::PixelColor;

/// Colours that the app draws in, on a dark ground.
pub trait Theme: PixelColor {
    /// The ground.
    const GROUND: Self;
    /// Texts and frames.
    const TEXT: Self;
    /// What matters less.
    const QUIET: Self;
    /// The class that was read.
    const CHOSEN: Self;
    /// What is no answer.
    const REJECT: Self;

    /// Red, green and blue, from 0 to 255 each.
    fn rgb(rgb: [u8; 3]) -> Self;

    /// Ink, from 0, the sheet, to 255.
    fn ink(level: u8) -> Self {
        Self::rgb([level; 3])
    }
}

impl Theme for BinaryColor {
    const GROUND: Self = Self::Off;
    const TEXT: Self = Self::On;
    const QUIET: Self = Self::On;
    const CHOSEN: Self = Self::On;
    const REJECT: Self = Self::On;

    fn rgb(rgb: [u8; 3]) -> Self {
        Self::ink(luma(rgb))
    }

    fn ink(level: u8) -> Self {
        if level >= 128 { Self::On } else { Self::Off }
    }
}

impl Theme for Rgb565 {
    const GROUND: Self = Self::new(1, 3, 3);
    const TEXT: Self = Self::new(28, 57, 28);
    const QUIET: Self = Self::new(10, 22, 12);
    const CHOSEN: Self = Self::new(9, 52, 16);
    const REJECT: Self = Self::new(31, 28, 8);

    fn rgb([red, green, blue]: [u8; 3]) -> Self {
        let part = |level: u8, bits: u32| (u32::from(level) >> (8 - bits)) as u8;
        Self::new(part(red, 5), part(green, 6), part(blue, 5))
    }
}
