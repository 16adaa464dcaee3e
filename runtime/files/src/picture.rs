//! PNG and JPEG files as grey pictures.
//!
//! Colour becomes grey by the luma weights of ITU-R Rec. 601, 16 bits become 8. Transparent pixels show white paper
//! behind, as a viewer does, or black where the ink itself is white. EXIF orientation is honoured.

use anyhow::{Context, Result, anyhow, bail};
use edge8_preprocess::{Picture, PictureError};
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// A decoded picture.
#[derive(Debug)]
pub struct GreyPicture {
    image: GrayImage,
}

impl GreyPicture {
    /// Decodes the bytes of a PNG or JPEG file of at most [`Picture::MAX_PIXELS`] pixels.
    ///
    /// # Errors
    /// If they are no whole picture of that kind, or one that is too large.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Ok(Self { image: decode(bytes)? })
    }

    /// The decoded image.
    pub fn into_image(self) -> GrayImage {
        self.image
    }

    /// The picture as the pre-processing takes it.
    ///
    /// # Errors
    /// As [`Picture::new`].
    pub fn picture(&self) -> Result<Picture<'_>, PictureError> {
        let (width, height) = self.image.dimensions();
        Picture::new(width as usize, height as usize, self.image.as_raw())
    }
}

fn decode(bytes: &[u8]) -> Result<GrayImage> {
    let format =
        image::guess_format(bytes).map_err(|_| anyhow!("is not a picture: give a PNG or JPEG file"))?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg) {
        bail!("is a {} picture: convert it to PNG or JPEG", name(format));
    }
    if format == ImageFormat::Jpeg && !is_complete_jpeg(bytes) {
        bail!("is a broken JPEG: it was cut short");
    }
    let broken = |error| match error {
        ImageError::Unsupported(error) => anyhow!("is a {} of an unusual kind: {error}", name(format)),
        error => anyhow!("is a broken {}: {error}", name(format)),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > Picture::MAX_PIXELS as u64 {
        let most = Picture::MAX_PIXELS;
        bail!("has {width}x{height} = {pixels} pixels, at most {most} are read: make it smaller");
    }
    let orientation = decoder.orientation().map_err(broken)?;
    let colours = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let grey = match colours {
        DynamicImage::ImageLuma8(grey) => grey,
        colours => to_grey(&colours)?,
    };
    let mut grey = DynamicImage::ImageLuma8(grey);
    grey.apply_orientation(orientation);
    Ok(grey.into_luma8())
}

fn name(format: ImageFormat) -> String {
    match format {
        ImageFormat::Jpeg => "JPEG".into(),
        other => other.extensions_str().first().unwrap_or(&"other").to_uppercase(),
    }
}

/// Room for [`Picture::MAX_PIXELS`] pixels of the widest type, 16-bit RGBA, and as much again for the decoder.
fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(16 * Picture::MAX_PIXELS as u64);
    limits
}

/// False for a file without an end-of-image marker after its scan: the decoder would fill the rest with grey.
fn is_complete_jpeg(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    last(0xd9) > last(0xda)
}

fn to_grey(colours: &DynamicImage) -> Result<GrayImage> {
    let on_white = on_paper(colours, 255)?;
    let nothing_dark = colours.color().has_alpha() && on_white.iter().all(|grey| *grey > 240);
    if nothing_dark { on_paper(colours, 0) } else { Ok(on_white) }
}

/// The grey picture, with paper of the given grey behind transparent pixels.
fn on_paper(colours: &DynamicImage, paper: u8) -> Result<GrayImage> {
    let pixels: Vec<u8> = match colours {
        DynamicImage::ImageLumaA8(image) => image.pixels().map(|p| blend(p[0], p[1], paper)).collect(),
        DynamicImage::ImageRgb8(image) => image.pixels().map(|p| luma(p.0)).collect(),
        DynamicImage::ImageRgba8(image) => {
            image.pixels().map(|p| blend(luma([p[0], p[1], p[2]]), p[3], paper)).collect()
        }
        DynamicImage::ImageLuma16(image) => image.pixels().map(|p| high(p[0])).collect(),
        DynamicImage::ImageLumaA16(image) => {
            image.pixels().map(|p| blend(high(p[0]), high(p[1]), paper)).collect()
        }
        DynamicImage::ImageRgb16(image) => image.pixels().map(|p| luma(p.0.map(high))).collect(),
        DynamicImage::ImageRgba16(image) => {
            image.pixels().map(|p| blend(luma([p[0], p[1], p[2]].map(high)), high(p[3]), paper)).collect()
        }
        other => bail!("has pixels of an unusual type, {:?}: save it with 8 or 16 bits", other.color()),
    };
    GrayImage::from_raw(colours.width(), colours.height(), pixels).context("has a wrong number of pixels")
}

/// Rec. 601 luma, 0.299 R + 0.587 G + 0.114 B, with weights in 1/256.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue) + 128) >> 8) as u8
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
