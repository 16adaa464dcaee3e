//! Scaled pictures beside the same by real numbers, and rows beside whole pictures.

use super::*;
use crate::picture::Picture;
use edge8::Fit;
use std::vec;
use std::vec::Vec;

fn random(seed: u32) -> impl FnMut() -> u32 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    }
}

fn pixels(len: usize, seed: u32) -> Vec<u8> {
    let mut next = random(seed);
    (0..len).map(|_| next() as u8).collect()
}

fn scaled(sizing: Sizing, size: [usize; 2], pixels: &[u8]) -> Vec<u8> {
    let [height, width] = size;
    let source = match sizing.channels {
        1 => Picture::new(width, height, pixels),
        _ => Picture::rgb(width, height, pixels),
    };
    let mut workspace = vec![0xA5; workspace_len(&sizing)];
    let mut bytes =
        vec![0xA5; usize::from(sizing.height) * usize::from(sizing.width) * usize::from(sizing.channels)];
    picture(sizing, None, &source.unwrap(), &mut workspace, &mut bytes).unwrap();
    bytes
}

/// Weights of the pixels of one side in one place, by real numbers.
fn weights(source: usize, target: usize, place: usize) -> Vec<f64> {
    let (from, to) =
        (place as f64 * source as f64 / target as f64, (place + 1) as f64 * source as f64 / target as f64);
    let area = |pixel: usize| ((pixel + 1) as f64).min(to) - (pixel as f64).max(from);
    let at = ((place as f64 + 0.5) * source as f64 / target as f64 - 0.5).clamp(0.0, source as f64 - 1.0);
    let line = |pixel: usize| 1.0 - (pixel as f64 - at).abs();
    let weight =
        |pixel| if source >= target { area(pixel) * target as f64 / source as f64 } else { line(pixel) };
    (0..source).map(|pixel| weight(pixel).max(0.0)).collect()
}

#[test]
fn values_are_those_of_real_numbers() {
    let sizes = [1, 2, 3, 5, 8, 13, 31];
    for (seed, height) in (1..).zip(sizes) {
        for width in sizes {
            for (rows, columns, channels) in [(1, 1, 1), (4, 3, 3), (8, 8, 1), (7, 20, 3), (20, 7, 1)] {
                let pixels = pixels(height * width * usize::from(channels), seed);
                let found = scaled(Sizing::stretch([rows, columns], channels), [height, width], &pixels);
                for (index, &found) in found.iter().enumerate() {
                    let channel = index % usize::from(channels);
                    let (place, column) = (index / usize::from(channels), usize::from(columns));
                    let down = weights(height, rows.into(), place / column);
                    let across = weights(width, columns.into(), place % column);
                    let mut expected = 0.0;
                    for (y, down) in down.iter().enumerate() {
                        for (x, across) in across.iter().enumerate() {
                            let pixel = pixels[(y * width + x) * usize::from(channels) + channel];
                            expected += down * across * f64::from(pixel);
                        }
                    }
                    // Half a step, and what 8 bits behind the point leave.
                    assert!(
                        (f64::from(found) - expected).abs() < 0.51,
                        "{height}x{width} to {rows}x{columns}: {found}, {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_same_size_changes_nothing_and_white_stays_white() {
    let pixels = pixels(20 * 32 * 3, 9);
    assert_eq!(scaled(Sizing::stretch([20, 32], 3), [20, 32], &pixels), pixels);
    for size in [[1, 60_000], [60_000, 1], [700, 900], [3, 2]] {
        let white = vec![255; size[0] * size[1]];
        for fit in [Fit::Stretch, Fit::Crop] {
            let sizing = Sizing { fit, ..Sizing::stretch([24, 40], 1) };
            assert!(scaled(sizing, size, &white).iter().all(|&byte| byte == 255), "{size:?}");
        }
    }
}

#[test]
fn a_letterbox_is_filled_around_and_a_crop_cut() {
    let white = vec![255; 10 * 20];
    let sizing = Sizing { fit: Fit::Letterbox, fill: 7, ..Sizing::stretch([8, 8], 1) };
    let bytes = scaled(sizing, [10, 20], &white);
    let rows: Vec<u8> = bytes.chunks(8).map(|row| row[3]).collect();
    assert_eq!(rows, [7, 7, 255, 255, 255, 255, 7, 7]);
    let tall = scaled(sizing, [20, 10], &white);
    assert_eq!(tall[..8], [7, 7, 255, 255, 255, 255, 7, 7]);
    let mut stripes = vec![0; 10 * 20];
    stripes.chunks_mut(20).for_each(|row| row[5..15].fill(255));
    let crop = Sizing { fit: Fit::Crop, ..Sizing::stretch([8, 8], 1) };
    assert!(scaled(crop, [10, 20], &stripes).iter().all(|&byte| byte == 255));
}

#[test]
fn a_camera_s_rows_have_the_bits_of_the_same_picture() {
    let (width, height) = (37, 23);
    let mut next = random(4);
    let coloured: Vec<[u8; 3]> =
        (0..width * height).map(|_| [next(), next(), next()].map(|value| value as u8)).collect();
    let packed = |[red, green, blue]: [u8; 3]| {
        u16::from(red >> 3) << 11 | u16::from(green >> 2) << 5 | u16::from(blue >> 3)
    };
    let formats = [
        PixelFormat::Grey,
        PixelFormat::Rgb888,
        PixelFormat::Rgb565,
        PixelFormat::Rgb565Be,
        PixelFormat::Yuyv,
    ];
    for format in formats {
        let source = Source { width, height, format };
        let bytes: Vec<u8> = match format {
            PixelFormat::Rgb888 => coloured.as_flattened().to_vec(),
            PixelFormat::Rgb565 => coloured.iter().flat_map(|&rgb| packed(rgb).to_le_bytes()).collect(),
            PixelFormat::Rgb565Be => coloured.iter().flat_map(|&rgb| packed(rgb).to_be_bytes()).collect(),
            _ => pixels(source.row_len() * height, 5),
        };
        let rows: Vec<&[u8]> = bytes.chunks_exact(source.row_len()).collect();
        let pixels = rows.iter().flat_map(|row| (0..width).map(|column| format.pixel::<3>(row, column)));
        let pixels: Vec<[u8; 3]> = pixels.collect();
        let tables: [[i8; 256]; 3] =
            core::array::from_fn(|channel| core::array::from_fn(|byte| (byte as u8 ^ channel as u8) as i8));
        for fit in [Fit::Stretch, Fit::Crop, Fit::Letterbox] {
            for size in [[9, 12], [40, 9], [9, 60], [40, 60]] {
                let sizing = Sizing { fit, fill: 99, ..Sizing::stretch(size, 3) };
                let whole = scaled(sizing, [height, width], pixels.as_flattened());
                let expected =
                    whole.iter().enumerate().map(|(index, &byte)| tables[index % 3][usize::from(byte)] as u8);
                let mut found = vec![0; whole.len()];
                let mut workspace = vec![1; workspace_len(&sizing) + 3];
                let mut scaling =
                    Rows::new(sizing, Some(&tables), source, &mut workspace, &mut found).unwrap();
                for row in &rows {
                    assert!(!scaling.is_whole() || fit == Fit::Crop);
                    scaling.push(row).unwrap();
                }
                assert!(scaling.is_whole());
                assert_eq!(found, expected.collect::<Vec<u8>>(), "{format:?} {fit:?} {size:?}");
            }
        }
    }
}

#[test]
fn colours_become_what_they_are() {
    let pixel = |format: PixelFormat, row: &[u8]| format.pixel::<3>(row, 0);
    assert_eq!(pixel(PixelFormat::Rgb565, &[0xE0, 0x07]), [0, 255, 0]);
    assert_eq!(pixel(PixelFormat::Rgb565Be, &[0xF8, 0x1F]), [255, 0, 255]);
    // Black, white and red of Rec. 601.
    assert_eq!(pixel(PixelFormat::Yuyv, &[16, 128, 0, 128]), [0, 0, 0]);
    assert_eq!(pixel(PixelFormat::Yuyv, &[235, 128, 0, 128]), [255, 255, 255]);
    assert_eq!(pixel(PixelFormat::Yuyv, &[81, 90, 0, 240]), [255, 0, 0]);
    assert_eq!(PixelFormat::Rgb888.pixel::<1>(&[255, 0, 0], 0), [77]);
    assert_eq!(PixelFormat::Grey.pixel::<3>(&[9], 0), [9; 3]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let sizing = Sizing::stretch([4, 4], 3);
    let new = |sizing, source, workspace: usize, bytes: usize| {
        Rows::new(sizing, None, source, &mut vec![0; workspace], &mut vec![0; bytes]).map(drop)
    };
    let source = |width, height| Source { width, height, format: PixelFormat::Rgb888 };
    assert_eq!(new(sizing, source(3, 3), 48, 48), Ok(()));
    assert_eq!(
        new(sizing, source(3, 3), 47, 48),
        Err(PictureError::WorkspaceLength { expected: 48, found: 47 })
    );
    assert_eq!(
        new(sizing, source(3, 3), 48, 47),
        Err(PictureError::OutputLength { expected: 48, found: 47 })
    );
    assert_eq!(new(sizing, source(0, 3), 48, 48), Err(PictureError::Size { width: 0, height: 3, pixels: 0 }));
    assert_eq!(new(sizing, source(3, 70_000), 48, 48), Err(PictureError::Side { width: 3, height: 70_000 }));
    assert_eq!(new(Sizing { channels: 2, ..sizing }, source(3, 3), 48, 48), Err(PictureError::Recipe));
    let (mut workspace, mut bytes) = ([0; 48], [0; 48]);
    let mut rows = Rows::new(sizing, None, source(3, 3), &mut workspace, &mut bytes).unwrap();
    assert!(rows.push(&[0; 8]).is_err() && rows.push(&[0; 9]).is_ok());
}
