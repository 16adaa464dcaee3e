//! PNG, JPEG, WebP and BMP files as grey pictures, for the digit finder, or in colour, for networks that read it.
//!
//! Colour becomes grey by the luma weights of ITU-R Rec. 601, 16 bits become 8. Transparent pixels show white paper
//! behind, as a viewer does, or black where the ink itself is white. EXIF orientation is honoured.

use crate::kind::Kind;
use crate::{file, jpeg};
use anyhow::{Context, Result, anyhow, bail};
use edge8_preprocess::{Picture, PictureError, luma};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;
use std::path::Path;

/// A decoded picture, grey or in colour.
#[derive(Debug)]
pub struct OwnedPicture {
    /// 8-bit grey or RGB.
    image: DynamicImage,
}

impl OwnedPicture {
    /// Decodes the bytes of a picture file of at most [`Picture::MAX_PIXELS`] pixels: 1 channel is grey, 3 are red, green and
    /// blue.
    ///
    /// # Errors
    /// If they are no whole picture of that kind, or one that is too large.
    pub fn decode(bytes: &[u8], channels: usize) -> Result<Self> {
        let Decoded { colours, orientation } = decode(bytes)?;
        let mut image = match (channels, colours) {
            (1, DynamicImage::ImageLuma8(grey)) => DynamicImage::ImageLuma8(grey),
            (1, colours) => DynamicImage::ImageLuma8(to_grey(&colours)?),
            (_, DynamicImage::ImageRgb8(rgb)) => DynamicImage::ImageRgb8(rgb),
            (_, colours) => DynamicImage::ImageRgb8(to_rgb(&colours)?),
        };
        image.apply_orientation(orientation);
        Ok(Self { image })
    }

    /// Reads a picture file.
    ///
    /// # Errors
    /// As [`read`](file::read) and [`decode`](Self::decode), with the file's name.
    pub fn read(path: &Path, channels: usize) -> Result<Self> {
        Self::decode(&file::read(path)?, channels).with_context(|| path.display().to_string())
    }

    /// Whether the picture has colour beyond what JPEG makes of grey.
    pub(crate) fn appearance(&self) -> Appearance {
        let is_grey = |pixel: &[u8]| pixel.iter().all(|value| value.abs_diff(pixel[0]) <= JPEG_TINT);
        let channels = self.shape()[2];
        if self.bytes().chunks_exact(channels).all(is_grey) { Appearance::Grey } else { Appearance::Coloured }
    }

    /// Rows, columns and channels.
    pub fn shape(&self) -> [usize; 3] {
        [self.image.height() as usize, self.image.width() as usize, self.image.color().channel_count().into()]
    }

    /// The bytes, row-major, channels last.
    pub fn bytes(&self) -> &[u8] {
        self.image.as_bytes()
    }

    /// The picture as the pre-processing takes it.
    ///
    /// # Errors
    /// As [`Picture::new`].
    pub fn picture(&self) -> Result<Picture<'_>, PictureError> {
        match self.shape() {
            [height, width, 1] => Picture::new(width, height, self.bytes()),
            [height, width, _] => Picture::rgb(width, height, self.bytes()),
        }
    }
}

/// What a picture looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appearance {
    Grey,
    Coloured,
}

/// How far apart the colours of a grey pixel may be.
const JPEG_TINT: u8 = 12;

/// Height and width of a picture file, as its header says them and its orientation turns them.
pub(crate) fn size(bytes: &[u8]) -> Result<[usize; 2]> {
    let (mut decoder, name) = decoder(bytes)?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().map_err(|error| broken(name, error))?;
    let size = [height as usize, width as usize];
    let turned = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    Ok(if turned { [size[1], size[0]] } else { size })
}

/// What a file holds, and how it is to be turned.
struct Decoded {
    colours: DynamicImage,
    orientation: Orientation,
}

fn decode(bytes: &[u8]) -> Result<Decoded> {
    let (mut decoder, name) = decoder(bytes)?;
    let orientation = decoder.orientation().map_err(|error| broken(name, error))?;
    let colours = DynamicImage::from_decoder(decoder).map_err(|error| broken(name, error))?;
    Ok(Decoded { colours, orientation })
}

/// A decoder for a picture that is not too large, and the name of its format.
fn decoder(bytes: &[u8]) -> Result<(impl ImageDecoder, &'static str)> {
    let (format, name, bytes) = match Kind::of(bytes) {
        Kind::Png => (ImageFormat::Png, "PNG", bytes),
        Kind::Jpeg => {
            (ImageFormat::Jpeg, "JPEG", jpeg::whole(bytes).context("is a broken JPEG: it was cut short")?)
        }
        Kind::WebP => (ImageFormat::WebP, "WebP", bytes),
        Kind::Bmp => (ImageFormat::Bmp, "BMP", bytes),
        Kind::OtherPicture(name) => bail!("is a {name} picture: convert it to PNG or JPEG"),
        _ => bail!("is not a picture: give a PNG, JPEG, WebP or BMP file"),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let decoder = reader.into_decoder().map_err(|error| broken(name, error))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > Picture::MAX_PIXELS as u64 {
        let most = Picture::MAX_PIXELS;
        bail!("has {width}x{height} = {pixels} pixels, at most {most} are read: make it smaller");
    }
    Ok((decoder, name))
}

fn broken(name: &str, error: ImageError) -> anyhow::Error {
    match error {
        ImageError::Unsupported(error) => anyhow!("is a {name} of an unusual kind: {error}"),
        error => anyhow!("is a broken {name}: {error}"),
    }
}

/// Room for [`Picture::MAX_PIXELS`] pixels of the widest type, 16-bit RGBA, and as much again for the decoder.
fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(16 * Picture::MAX_PIXELS as u64);
    limits
}

fn to_grey(colours: &DynamicImage) -> Result<GrayImage> {
    let on_white = grey_on(colours, 255)?;
    let pixels = if only_white_ink(colours, &on_white) { grey_on(colours, 0)? } else { on_white };
    GrayImage::from_raw(colours.width(), colours.height(), pixels).context("has a wrong number of pixels")
}

fn to_rgb(colours: &DynamicImage) -> Result<RgbImage> {
    // Where there is transparency, what decides on the paper is grey.
    let white_ink = colours.color().has_alpha() && only_white_ink(colours, &grey_on(colours, 255)?);
    let paper = if white_ink { 0 } else { 255 };
    let pixels = pixels(colours, |rgb, alpha| rgb.map(|value| blend(value, alpha, paper)))?;
    let bytes = pixels.into_flattened();
    RgbImage::from_raw(colours.width(), colours.height(), bytes).context("has a wrong number of pixels")
}

/// Whether nothing of a transparent picture shows on white paper.
fn only_white_ink(colours: &DynamicImage, on_white: &[u8]) -> bool {
    colours.color().has_alpha() && on_white.iter().all(|grey| *grey > 240)
}

/// The grey pixels, with paper of the given grey behind transparent ones.
fn grey_on(colours: &DynamicImage, paper: u8) -> Result<Vec<u8>> {
    pixels(colours, |rgb, alpha| blend(luma(rgb), alpha, paper))
}

/// What `make` makes of each pixel's colour and opacity, both with 8 bits.
fn pixels<T>(colours: &DynamicImage, make: impl Fn([u8; 3], u8) -> T) -> Result<Vec<T>> {
    Ok(match colours {
        DynamicImage::ImageLuma8(image) => image.pixels().map(|p| make([p[0]; 3], 255)).collect(),
        DynamicImage::ImageLumaA8(image) => image.pixels().map(|p| make([p[0]; 3], p[1])).collect(),
        DynamicImage::ImageRgb8(image) => image.pixels().map(|p| make(p.0, 255)).collect(),
        DynamicImage::ImageRgba8(image) => image.pixels().map(|p| make([p[0], p[1], p[2]], p[3])).collect(),
        DynamicImage::ImageLuma16(image) => image.pixels().map(|p| make([high(p[0]); 3], 255)).collect(),
        DynamicImage::ImageLumaA16(image) => {
            image.pixels().map(|p| make([high(p[0]); 3], high(p[1]))).collect()
        }
        DynamicImage::ImageRgb16(image) => image.pixels().map(|p| make(p.0.map(high), 255)).collect(),
        DynamicImage::ImageRgba16(image) => {
            image.pixels().map(|p| make([p[0], p[1], p[2]].map(high), high(p[3]))).collect()
        }
        other => bail!("has pixels of an unusual type, {:?}: save it with 8 or 16 bits", other.color()),
    })
}

/// 16 bits to 8, rounded.
fn high(value: u16) -> u8 {
    ((u32::from(value) * 255 + 32_767) / 65_535) as u8
}

/// `grey` with opacity `alpha` on paper.
fn blend(grey: u8, alpha: u8, paper: u8) -> u8 {
    let (grey, alpha, paper) = (u32::from(grey), u32::from(alpha), u32::from(paper));
    ((grey * alpha + paper * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
