//! What a file is, by its first bytes: names say what somebody thought that it was.

use crate::file;
use anyhow::{Result, bail};
use std::fmt;
use std::path::Path;

/// Bytes of a file that tell its kind.
const HEAD: usize = 32;

/// A kind of file that somebody may give to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// What `runtime` runs.
    ModelImage,
    /// TensorFlow Lite's.
    TfLite,
    /// A network in ONNX, which has no magic: a message of protocol buffers that begins with a version.
    Onnx,
    /// Named tensors, as `trainer fit` writes them.
    Safetensors,
    /// A zip archive: `.npz`, or what PyTorch and Keras save.
    Zip,
    /// One array of numpy.
    Npy,
    /// What Keras saved before.
    Hdf5,
    /// Python objects, as PyTorch saved them before.
    Pickle,
    /// Packed with gzip.
    Gzip,
    /// A picture that is read.
    Png,
    /// A picture that is read.
    Jpeg,
    /// A picture that is read.
    WebP,
    /// A picture that is read.
    Bmp,
    /// A picture of a kind that is not read, by its name.
    OtherPicture(&'static str),
    /// None of these.
    Unknown,
}

impl Kind {
    /// The kind of a file that begins with these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            // The whole magic has line ends: a file that lost them is a damaged image.
            [b'e', b'd', b'g', b'e', b'8', ..] => Self::ModelImage,
            [_, _, _, _, b'T', b'F', b'L', b'3', ..] => Self::TfLite,
            [b'P', b'K', ..] => Self::Zip,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Self::Npy,
            [0x89, b'H', b'D', b'F', ..] => Self::Hdf5,
            [0x80, 2..=5, ..] => Self::Pickle,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x89, b'P', b'N', b'G', ..] => Self::Png,
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::WebP,
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Self::Bmp,
            _ => other_picture(bytes).map_or_else(|| network(bytes), Self::OtherPicture),
        }
    }

    /// The kind of a file.
    ///
    /// # Errors
    /// If it cannot be opened, is a folder or empty.
    pub fn of_file(path: &Path) -> Result<Self> {
        Ok(Self::of(&file::head(path, HEAD)?))
    }

    /// Refuses a file of another kind, and says how to make one that is wanted of it.
    ///
    /// # Errors
    /// If `self` is not among `wanted`.
    pub fn require(self, wanted: &[Self], path: &Path) -> Result<()> {
        if wanted.contains(&self) {
            return Ok(());
        }
        let name = path.display();
        let names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let names = names.join(" or ");
        match (self, self.advice(wanted, path)) {
            (Self::Unknown, None) => bail!("{name} is not {names}"),
            (Self::Unknown, Some(advice)) => bail!("{name} is not {names}: {advice}"),
            (found, None) => bail!("{name} is {found}, not {names}"),
            (found, Some(advice)) => bail!("{name} is {found}, not {names}: {advice}"),
        }
    }

    /// What to do with a file of this kind where another one is wanted.
    fn advice(self, wanted: &[Self], path: &Path) -> Option<String> {
        let image = path.with_extension("edge8");
        let (name, image) = (path.display(), image.display());
        let model = [Self::ModelImage, Self::TfLite, Self::Onnx, Self::Safetensors];
        let command = match self {
            Self::TfLite => format!("quantizer import {name} -o {image}"),
            Self::Safetensors => format!("quantizer calibrate --int8 {name} -o {image}"),
            Self::Onnx => format!("quantizer calibrate --int8 {name} --data PICTURES -o {image}"),
            Self::Zip | Self::Hdf5 | Self::Pickle if wanted.iter().any(|kind| model.contains(kind)) => {
                return Some("export the network to ONNX or TFLite, then make a model image of it".into());
            }
            Self::ModelImage => return Some("give the network that it was made of".into()),
            _ if wanted.contains(&Self::ModelImage) => {
                return Some("give what quantizer calibrate or quantizer import wrote".into());
            }
            _ if wanted.contains(&Self::Safetensors) => {
                return Some("give what trainer fit wrote, or an exported network".into());
            }
            _ => return None,
        };
        Some(format!("make a model image of it: {command}"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ModelImage => "a model image",
            Self::TfLite => "a TFLite model",
            Self::Onnx => "an ONNX file",
            Self::Safetensors => "a safetensors file",
            Self::Zip => "a zip archive",
            Self::Npy => "an array of numpy",
            Self::Hdf5 => "an HDF5 file",
            Self::Pickle => "a pickle file",
            Self::Gzip => "a file packed with gzip",
            Self::Png => "a PNG picture",
            Self::Jpeg => "a JPEG picture",
            Self::WebP => "a WebP picture",
            Self::Bmp => "a BMP picture",
            Self::OtherPicture(name) => return write!(f, "a {name} picture"),
            Self::Unknown => "a file of an unknown kind",
        })
    }
}

/// The name of a kind of picture that is not read.
fn other_picture(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [b'G', b'I', b'F', b'8', ..] => "GIF",
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => "TIFF",
        [b'8', b'B', b'P', b'S', ..] => "Photoshop",
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => "JPEG XL",
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => "JPEG 2000",
        [b'q', b'o', b'i', b'f', ..] => "QOI",
        [b'P', b'1'..=b'6', b' ' | b'\n' | b'\r' | b'\t', ..] => "PNM",
        [0, 0, 1, 0, count, 0, ..] if *count > 0 => "icon",
        [b'<', b's', b'v', b'g', ..] => "SVG",
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4)? {
            b"avif" | b"avis" => "AVIF",
            b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" => "HEIC",
            _ => return None,
        },
        _ => return None,
    })
}

/// Whether bytes without a magic begin a file of a network.
fn network(bytes: &[u8]) -> Kind {
    match bytes {
        // The length of a header in JSON, and its first byte; nobody has a header of 100 MB.
        [_, _, _, 0..=5, 0, 0, 0, 0, b'{', ..] => Kind::Safetensors,
        // The field `ir_version`, then one of those that may follow it.
        [0x08, 1..=63, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, ..] => Kind::Onnx,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_first_bytes() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let kind = |name: &str| Kind::of_file(&repository.join(name)).unwrap();
        assert_eq!(kind("runtime/models/mnist.edge8"), Kind::ModelImage);
        assert_eq!(kind("trainer/models/mnist.safetensors"), Kind::Safetensors);
        assert_eq!(kind("runtime/assets/5_blue_ink.png"), Kind::Png);
        assert_eq!(kind("tests/pictures/7_paper.jpg"), Kind::Jpeg);
        assert_eq!(kind("README.md"), Kind::Unknown);
        assert_eq!(Kind::of(b"\x1c\0\0\0TFL3\x14\0"), Kind::TfLite);
        assert_eq!(Kind::of(b"\x08\x08\x12\x07pytorch"), Kind::Onnx);
        assert_eq!(Kind::of(b"\0\0\0\x18ftypheic\0\0\0\0"), Kind::OtherPicture("HEIC"));
        assert_eq!(Kind::of(b"RIFF\x24\0\0\0WEBPVP8 "), Kind::WebP);
        assert_eq!(Kind::of(b"BMW is no picture"), Kind::Unknown);
        assert!(Kind::of_file(&repository).unwrap_err().to_string().contains("folder"));
    }

    #[test]
    fn another_kind_is_named_with_what_to_do() {
        let message = |kind: Kind, wanted: &[Kind]| {
            kind.require(wanted, Path::new("a/net.x")).map_err(|error| error.to_string())
        };
        assert_eq!(message(Kind::TfLite, &[Kind::Onnx, Kind::TfLite]), Ok(()));
        let error = message(Kind::TfLite, &[Kind::ModelImage]).unwrap_err();
        assert_eq!(
            error,
            "a/net.x is a TFLite model, not a model image: make a model image of it: quantizer import a/net.x -o \
             a/net.edge8"
        );
        let error = message(Kind::Zip, &[Kind::Safetensors, Kind::Onnx]).unwrap_err();
        assert!(error.contains("a zip archive, not a safetensors file or an ONNX file: export"), "{error}");
        let error = message(Kind::Unknown, &[Kind::ModelImage]).unwrap_err();
        assert_eq!(
            error,
            "a/net.x is not a model image: give what quantizer calibrate or quantizer import wrote"
        );
    }
}
