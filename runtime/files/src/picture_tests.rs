//! Pictures of every pixel type, and files that are none.

use super::*;
use image::{ImageBuffer, Luma, LumaA, Rgb, Rgba};
use std::format;

fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn grey(bytes: &[u8]) -> Vec<u8> {
    OwnedPicture::decode(bytes, 1).unwrap().bytes().to_vec()
}

fn rgb(bytes: &[u8]) -> Vec<u8> {
    OwnedPicture::decode(bytes, 3).unwrap().bytes().to_vec()
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    encode(image, ImageFormat::Png)
}

#[test]
fn every_pixel_type_becomes_grey() {
    let size = (3, 2);
    let make = |pixel| png(ImageBuffer::from_pixel(size.0, size.1, pixel));
    assert_eq!(grey(&make(Luma([90u8]))), [90; 6]);
    assert_eq!(grey(&png(ImageBuffer::from_pixel(3, 2, Luma([0x4000u16])))), [64; 6]);
    assert_eq!(grey(&png(ImageBuffer::from_pixel(3, 2, LumaA([100u8, 51])))), [224; 6]);
    assert_eq!(grey(&png(ImageBuffer::from_pixel(3, 2, LumaA([0u16, 0x8000])))), [127; 6]);
    assert_eq!(grey(&png(ImageBuffer::from_pixel(3, 2, Rgb([255u8, 0, 0])))), [77; 6]);
    assert_eq!(grey(&png(ImageBuffer::from_pixel(3, 2, Rgb([0u16, 0xffff, 0])))), [149; 6]);
    assert_eq!(grey(&png(ImageBuffer::from_pixel(3, 2, Rgba([0u8, 0, 255, 255])))), [29; 6]);
    assert_eq!(grey(&png(ImageBuffer::from_pixel(3, 2, Rgba([0u16, 0, 0, 0x8000])))), [127; 6]);
}

#[test]
fn transparent_paper_is_white_unless_the_ink_is() {
    let ink = |value: u8| {
        let image =
            ImageBuffer::from_fn(2, 1, |x, _| Rgba([value, value, value, if x == 0 { 255 } else { 0 }]));
        let bytes = png(image);
        assert_eq!(rgb(&bytes), grey(&bytes).iter().flat_map(|&p| [p; 3]).collect::<Vec<u8>>());
        grey(&bytes)
    };
    assert_eq!(ink(0), [0, 255]);
    assert_eq!(ink(255), [255, 0]);
}

#[test]
fn colours_stay_and_grey_is_the_same_for_all() {
    let colour = png(ImageBuffer::from_pixel(2, 1, Rgba([200u8, 100, 0, 255])));
    assert_eq!(rgb(&colour), [200, 100, 0, 200, 100, 0]);
    let wide = png(ImageBuffer::from_pixel(1, 1, Rgb([0x8080u16, 0, 0xffff])));
    assert_eq!(rgb(&wide), [128, 0, 255]);
    let half = png(ImageBuffer::from_pixel(1, 1, Rgba([0u8, 0, 255, 128])));
    assert_eq!(rgb(&half), [127, 127, 255]);
}

/// Phones append a film to a photo, cameras further frames or zeros; a file cut before its end stays refused.
#[test]
fn what_is_stored_without_loss_is_the_same_in_every_format() {
    let picture = image::RgbImage::from_fn(7, 5, |x, y| image::Rgb([x as u8 * 30, y as u8 * 40, 200]));
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp] {
        let bytes = encode(picture.clone(), format);
        assert_eq!(rgb(&bytes), *picture.as_raw(), "{format:?}");
        assert_eq!(size(&bytes).unwrap(), [5, 7], "{format:?}");
        for cut in [bytes.len() / 2, 40] {
            assert!(OwnedPicture::decode(&bytes[..cut], 3).is_err(), "{format:?} cut to {cut} bytes");
        }
    }
}

#[test]
fn bytes_after_a_jpeg_are_none_of_it() {
    let noise = GrayImage::from_fn(60, 60, |x, y| Luma([(x * x * 7 + y * 31) as u8]));
    let photo = encode(noise, ImageFormat::Jpeg);
    // A film whose bytes happen to hold the marker of a scan.
    let film = [&b"\0\0\0\x18ftypmp42\0\0\0\0"[..], &[0xff, 0xda, 0, 2], &[0x5a; 300]].concat();
    for rest in [film, photo.clone(), vec![0; 64]] {
        assert_eq!(grey(&[&photo[..], &rest].concat()), grey(&photo));
        let cut = [&photo[..photo.len() - 2], &rest[..1]].concat();
        assert!(OwnedPicture::decode(&cut, 1).unwrap_err().to_string().contains("cut short"));
    }
}

#[test]
fn orientation_turns_the_picture() {
    let wide = encode(GrayImage::from_pixel(40, 20, Luma([128])), ImageFormat::Jpeg);
    // An EXIF segment with one entry: tag 0x0112 (orientation), type short, one value: 6, a quarter turn.
    let mut exif =
        b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
            .to_vec();
    let turned = [&wide[..2], exif.as_mut_slice(), &wide[2..]].concat();
    assert_eq!(OwnedPicture::decode(&wide, 1).unwrap().shape(), [20, 40, 1]);
    assert_eq!(OwnedPicture::decode(&turned, 1).unwrap().shape(), [40, 20, 1]);
    assert_eq!(OwnedPicture::decode(&turned, 3).unwrap().shape(), [40, 20, 3]);
}

#[test]
fn what_is_no_picture_is_named() {
    let message = |bytes: &[u8]| format!("{:#}", OwnedPicture::decode(bytes, 1).unwrap_err());
    assert!(message(b"hello, world").contains("not a picture"));
    assert!(message(b"GIF89a\x01\0\x01\0").contains("GIF"));
    let noise = GrayImage::from_fn(60, 60, |x, y| Luma([(x * x * 7 + y * 31) as u8]));
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let whole = encode(noise.clone(), format);
        for length in [12, whole.len() / 2, whole.len() - 20] {
            assert!(message(&whole[..length]).contains("broken"), "{format:?} cut to {length}");
        }
    }
}

#[test]
fn large_pictures_are_refused_before_they_are_decoded() {
    let mut bytes = png(GrayImage::new(1, 1));
    // The header's size becomes 20,000 x 10,000, its checksum is made right again.
    bytes[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x27, 0x10]);
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    let message = OwnedPicture::decode(&bytes, 1).unwrap_err().to_string();
    assert!(message.contains("20000x10000 = 200000000 pixels"), "{message}");
}
