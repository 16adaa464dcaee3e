//! How a picture becomes the network's input, as the file's metadata says it.

use edge8::{Fit, Framing, Preparation, Sizing};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a picture becomes the network's input. Stored as JSON in the safetensors' metadata.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Preprocessing {
    /// From the picture to bytes.
    pub preparation: Preparation,
    /// The network sees `byte * scale + shift`.
    pub scale: f64,
    /// See `scale`.
    pub shift: f64,
}

impl Preprocessing {
    /// The usual one: digits from 0 to 1, with black paper as 0; pictures from -1 to 1.
    pub const fn new(preparation: Preparation) -> Self {
        match preparation {
            Preparation::Digit(_) => Self { preparation, scale: 1.0 / 255.0, shift: 0.0 },
            Preparation::Picture(_) => Self { preparation, scale: 1.0 / 127.5, shift: -1.0 },
        }
    }
}

impl fmt::Display for Preprocessing {
    /// What the network's input is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { preparation, scale, shift } = self;
        match preparation {
            Preparation::Digit(_) => {
                write!(f, "framed pictures, light ink on black; a value is a pixel's byte times {scale}")
            }
            Preparation::Picture(sizing) => {
                let colours = if sizing.channels == 1 { "grey" } else { "red, green and blue" };
                write!(f, "pictures, {colours}; a value is a byte times {scale} plus {shift}")
            }
        }
    }
}

/// The JSON: what kind it is, its fields tell.
#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields, expecting = "a recipe of an unknown kind: it needs a newer version")]
enum Stored {
    Digit {
        /// Rows and columns of the framed picture.
        side: u16,
        /// Length of the digit's longer side in it.
        digit: u16,
        scale: f64,
    },
    Picture {
        height: u16,
        width: u16,
        channels: u8,
        fit: StoredFit,
        fill: u8,
        scale: f64,
        shift: f64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredFit {
    Stretch,
    Crop,
    Letterbox,
}

impl From<Stored> for Preprocessing {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Digit { side, digit, scale } => {
                Self { preparation: Preparation::Digit(Framing { side, digit }), scale, shift: 0.0 }
            }
            Stored::Picture { height, width, channels, fit, fill, scale, shift } => {
                let fit = match fit {
                    StoredFit::Stretch => Fit::Stretch,
                    StoredFit::Crop => Fit::Crop,
                    StoredFit::Letterbox => Fit::Letterbox,
                };
                let sizing = Sizing { height, width, channels, fit, fill };
                Self { preparation: Preparation::Picture(sizing), scale, shift }
            }
        }
    }
}

impl From<Preprocessing> for Stored {
    fn from(Preprocessing { preparation, scale, shift }: Preprocessing) -> Self {
        match preparation {
            Preparation::Digit(Framing { side, digit }) => Self::Digit { side, digit, scale },
            Preparation::Picture(Sizing { height, width, channels, fit, fill }) => {
                let fit = match fit {
                    Fit::Stretch => StoredFit::Stretch,
                    Fit::Crop => StoredFit::Crop,
                    Fit::Letterbox => StoredFit::Letterbox,
                };
                Self::Picture { height, width, channels, fit, fill, scale, shift }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_back() {
        let digit = Preprocessing::new(Preparation::Digit(Framing { side: 32, digit: 23 }));
        let sizing = Sizing { fit: Fit::Letterbox, fill: 9, ..Sizing::stretch([20, 32], 3) };
        let picture = Preprocessing::new(Preparation::Picture(sizing));
        let texts = [
            r#"{"side":32,"digit":23,"scale":0.00392156862745098}"#,
            r#"{"height":20,"width":32,"channels":3,"fit":"letterbox","fill":9,"scale":0.00784313725490196,"shift":-1.0}"#,
        ];
        for (preprocessing, text) in [digit, picture].into_iter().zip(texts) {
            assert_eq!(serde_json::to_string(&preprocessing).unwrap(), text);
            assert_eq!(serde_json::from_str::<Preprocessing>(text).unwrap(), preprocessing);
        }
    }
}
