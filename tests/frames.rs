//! Any picture: framed, or blank; never a panic, and the same bits in any workspace that is long enough. Runs with overflow
//! checks in the profile `checked` and under Miri.

use edge8::Framing;
use edge8_preprocess::digit::{Workspace, frame, workspace_len};
use edge8_preprocess::{Picture, PictureError};
use fastrand::Rng;

/// Pictures to draw: many, but under Miri few.
const CASES: usize = if cfg!(miri) { 2 } else { 3000 };

/// CRC-32 of all framed bytes. What the networks were trained on is in `crops.rs`.
const BITS: u32 = 0x054b_21c7;

/// A random picture: its width and its pixels.
fn random_picture(rng: &mut Rng) -> (usize, Vec<u8>) {
    let most = if cfg!(miri) { 12 } else { 200 };
    let (width, height) = match rng.u8(..6) {
        0 => (1, rng.usize(1..=most)),
        1 => (rng.usize(1..=most), 1),
        2 => (rng.usize(60..=66).min(most), rng.usize(60..=66).min(most)),
        _ => (rng.usize(1..=most), rng.usize(1..=most)),
    };
    (width, drawn(rng, width, height))
}

/// Noisy paper with up to four blocks of ink.
fn drawn(rng: &mut Rng, width: usize, height: usize) -> Vec<u8> {
    let (paper, noise) = (rng.u8(..), rng.u8(1..40));
    let mut pixels: Vec<u8> = (0..width * height).map(|_| paper.saturating_add(rng.u8(..noise))).collect();
    for _ in 0..rng.usize(..5) {
        let ink = rng.u8(..);
        let (left, right) = (rng.usize(..width), rng.usize(..width));
        let (top, bottom) = (rng.usize(..height), rng.usize(..height));
        for row in pixels.chunks_exact_mut(width).take(top.max(bottom) + 1).skip(top.min(bottom)) {
            row[left.min(right)..=left.max(right)].fill(ink);
        }
    }
    pixels
}

/// Frames a picture in the least workspace and in that for any picture, which hold other bytes before.
fn framed(picture: &Picture<'_>, framing: Framing) -> Result<Vec<u8>, PictureError> {
    let mut output = vec![0; usize::from(framing.side) * usize::from(framing.side)];
    let mut again = output.clone();
    let mut least = vec![0xa5; workspace_len(picture.width(), picture.height())];
    let result = frame(picture, framing, &mut least, &mut output);
    assert_eq!(frame(picture, framing, Workspace::new().bytes(), &mut again), result);
    assert!(result.is_err() || again == output, "other bits in another workspace, {framing:?}");
    result.map(|()| output)
}

#[test]
fn any_picture_is_framed_or_blank() {
    let mut rng = Rng::with_seed(1);
    let mut bits = crc32fast::Hasher::new();
    let (mut count, mut blank) = (0, 0);
    for case in 0..CASES {
        let (width, pixels) = random_picture(&mut rng);
        let side = rng.u16(1..=70);
        let framing =
            if rng.bool() { Framing::mnist(side) } else { Framing { side, digit: rng.u16(1..=side) } };
        let picture = Picture::new(width, pixels.len() / width, &pixels).expect("whole rows");
        match framed(&picture, framing) {
            Ok(output) => {
                assert!(output.contains(&255), "picture {case}: no white ink in {framing:?}");
                bits.update(&output);
                count += 1;
            }
            Err(PictureError::Blank) => blank += 1,
            Err(other) => panic!("picture {case}: {other}"),
        }
    }
    assert!(cfg!(miri) || (count > CASES / 4 && blank > CASES / 50), "{count} framed, {blank} blank");
    assert!(cfg!(miri) || bits.clone().finalize() == BITS, "other bits: {:#010x}", bits.finalize());
}

/// The device app's sheet: its workspace leaves room for the rest in 16 KB.
#[test]
fn a_small_sheet_needs_a_small_workspace() {
    assert_eq!(workspace_len(56, 56), 8576);
    let side = if cfg!(miri) { 20 } else { 56 };
    let mut rng = Rng::with_seed(2);
    let count = (0..CASES).filter(|_| {
        let pixels = drawn(&mut rng, side, side);
        let picture = Picture::new(side, side, &pixels).expect("whole rows");
        framed(&picture, Framing::mnist(28)).is_ok()
    });
    assert!(count.count() > CASES / 4 || cfg!(miri));
}
