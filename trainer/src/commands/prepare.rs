//! The options that say how pictures become the network's input.

use std::str::FromStr;

use anyhow::{Result, anyhow, ensure};
use clap::{Args, ValueEnum};
use edge8::{Fit, Framing, Preparation, Sizing};
use files::{Pictures, Survey};

/// Pictures whose longer side is up to this are taken as large as they are.
const SMALL: usize = 48;

/// Pictures up to this lose less by becoming small than by a first convolution that skips every other pixel.
const MIDDLING: usize = 64;

/// Rows and columns for pictures that are larger.
const SIDE: u16 = 96;

/// See [`Prepare::preparation`].
#[derive(Debug, Args)]
pub(crate) struct Prepare {
    /// What a picture shows: one digit, which is looked for, or anything [default: digit for MNIST's files, else picture].
    #[arg(long, value_enum)]
    recipe: Option<Kind>,
    /// Rows and columns of the network's input, N or ROWSxCOLUMNS, 8 to 224 [default: 32 for digits; as the pictures up to 48,
    /// 48 up to 64, else 96].
    #[arg(long, value_name = "SIZE")]
    input_size: Option<InputSize>,
    /// Of pictures: grey or in colour [default: as they are].
    #[arg(long, value_enum)]
    colours: Option<Colours>,
    /// Of pictures in other proportions than the input [default: stretch].
    #[arg(long, value_enum)]
    fit: Option<FitOption>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Digit,
    Picture,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Colours {
    Grey,
    Rgb,
}

impl Colours {
    pub(super) const fn channels(self) -> u8 {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FitOption {
    /// They are stretched.
    Stretch,
    /// What protrudes is cut off.
    Crop,
    /// The rest is filled with black.
    Letterbox,
}

/// Rows and columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct InputSize(pub(super) [u16; 2]);

impl FromStr for InputSize {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let side = |text: &str| {
            let side = text.parse().ok().filter(|side| (8..=224).contains(side));
            side.ok_or_else(|| anyhow!("{text:?} is no side from 8 to 224"))
        };
        Ok(Self(match text.split_once('x') {
            Some((rows, columns)) => [side(rows)?, side(columns)?],
            None => [side(text)?; 2],
        }))
    }
}

impl Prepare {
    /// Refuses options that contradict one another.
    ///
    /// # Errors
    /// If they do.
    pub(crate) fn check(&self) -> Result<()> {
        if self.recipe == Some(Kind::Digit) {
            ensure!(
                self.colours != Some(Colours::Rgb) && self.fit.is_none_or(|fit| fit == FitOption::Stretch),
                "digits are framed in grey: leave --colours and --fit out, or pass --recipe picture"
            );
            let square = self.input_size.is_none_or(|InputSize([rows, columns])| rows == columns);
            ensure!(square, "digits are framed to a square: pass --input-size N, or --recipe picture");
        }
        Ok(())
    }

    /// How pictures are prepared: as asked, else as for the network that training begins with, else as suits what is there.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) fn preparation(
        &self,
        pictures: &Pictures,
        survey: &Survey,
        init: Option<Preparation>,
    ) -> Result<Preparation> {
        let default = match init {
            Some(Preparation::Digit(_)) => Kind::Digit,
            Some(Preparation::Picture(_)) => Kind::Picture,
            None if pictures.are_numbered() => Kind::Digit,
            None => Kind::Picture,
        };
        let recipe = Some(self.recipe.unwrap_or(default));
        Self { recipe, ..*self }.check()?;
        if recipe == Some(Kind::Digit) {
            let default = match init {
                Some(Preparation::Digit(framing)) => framing,
                _ => Framing::mnist(32),
            };
            let framing = self.input_size.map_or(default, |InputSize([side, _])| Framing::mnist(side));
            return Ok(Preparation::Digit(framing));
        }
        let default = match init {
            Some(Preparation::Picture(sizing)) => sizing,
            _ => {
                let [height, width] = default_size(survey.middle);
                let channels = if survey.coloured { 3 } else { 1 };
                Sizing { height, width, channels, fit: Fit::Stretch, fill: 0 }
            }
        };
        let [height, width] = self.input_size.map_or([default.height, default.width], |size| size.0);
        let channels = self.colours.map_or(default.channels, Colours::channels);
        let fit = match self.fit {
            Some(FitOption::Stretch) => Fit::Stretch,
            Some(FitOption::Crop) => Fit::Crop,
            Some(FitOption::Letterbox) => Fit::Letterbox,
            None => default.fit,
        };
        Ok(Preparation::Picture(Sizing { height, width, channels, fit, fill: default.fill }))
    }
}

/// The size of the pictures themselves if they are small: nothing is gained by making them larger.
fn default_size(middle: [usize; 2]) -> [u16; 2] {
    let longer = middle[0].max(middle[1]);
    if longer <= SMALL {
        middle.map(|side| side.max(16) as u16)
    } else if longer <= MIDDLING {
        [SMALL as u16; 2]
    } else {
        [SIDE; 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_they_are_typed() {
        assert_eq!("32".parse::<InputSize>().unwrap().0, [32, 32]);
        assert_eq!("20x32".parse::<InputSize>().unwrap().0, [20, 32]);
        for wrong in ["", "x", "7", "20x", "20x300", "-3", "20X32x3"] {
            assert!(wrong.parse::<InputSize>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn small_pictures_keep_their_size() {
        assert_eq!(default_size([32, 20]), [32, 20]);
        assert_eq!(default_size([8, 12]), [16, 16]);
        assert_eq!(default_size([64, 60]), [48, 48]);
        assert_eq!(default_size([480, 640]), [96, 96]);
    }
}
