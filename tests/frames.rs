//! Any picture: framed, or blank; never a panic. Runs with overflow checks in the development profile and under Miri.

use fastrand::Rng;
use runtime::picture::{Picture, PictureError};
use runtime::preprocess::{Framing, Workspace, frame};

/// Pictures to draw: many, but under Miri few.
const CASES: usize = if cfg!(miri) { 3 } else { 3000 };

/// A random picture: its width and its pixels.
fn random_picture(rng: &mut Rng) -> (usize, Vec<u8>) {
    let most = if cfg!(miri) { 20 } else { 200 };
    let (width, height) = match rng.u8(..6) {
        0 => (1, rng.usize(1..=most)),
        1 => (rng.usize(1..=most), 1),
        2 => (rng.usize(60..=66).min(most), rng.usize(60..=66).min(most)),
        _ => (rng.usize(1..=most), rng.usize(1..=most)),
    };
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
    (width, pixels)
}

#[test]
fn any_picture_is_framed_or_blank() {
    let mut rng = Rng::with_seed(1);
    let (mut framed, mut blank) = (0, 0);
    for case in 0..CASES {
        let (width, pixels) = random_picture(&mut rng);
        let side = rng.u16(1..=70);
        let framing =
            if rng.bool() { Framing::mnist(side) } else { Framing { side, digit: rng.u16(1..=side) } };
        let picture = Picture::new(width, pixels.len() / width, &pixels).expect("whole rows");
        let mut output = vec![0; usize::from(side) * usize::from(side)];
        match frame(&picture, framing, &mut Workspace::new(), &mut output) {
            Ok(()) => {
                assert!(output.contains(&255), "picture {case}: no white ink in {framing:?}");
                framed += 1;
            }
            Err(PictureError::Blank) => blank += 1,
            Err(other) => panic!("picture {case}: {other}"),
        }
    }
    assert!(cfg!(miri) || (framed > CASES / 4 && blank > CASES / 50), "{framed} framed, {blank} blank");
}
