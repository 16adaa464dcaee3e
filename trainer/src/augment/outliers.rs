//! Outliers: pictures of no class that might be taken for one, for the network to be in doubt about (Hendrycks, Mazeika and
//! Dietterich, "Deep anomaly detection with outlier exposure", 2019).
//!
//! They are made of the training pictures themselves, whose parts are put together in another way, or are strokes as of a pen.

use edge8::Framing;
use edge8_preprocess::Picture;
use edge8_preprocess::digit::{frame, workspace_len};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Radius of a pen, as part of a picture's side.
const PEN: std::ops::Range<f32> = 0.015..0.09;
/// How often a stroke is straight.
const STRAIGHT: f64 = 0.5;

/// What might be framed like a digit and is none, made of two framed digits or drawn.
pub(super) fn digit(rng: &mut ChaCha8Rng, framing: Framing, two: [&[u8]; 2]) -> Vec<u8> {
    let side = usize::from(framing.side);
    match rng.random_range(0..6) {
        0 => quarters(rng, [side, side, 1], two[0]),
        1 | 2 => halves(rng, side, two),
        _ => framed(framing, &scribble(rng, side)),
    }
}

/// A drawing as the device frames it, which takes a part of it only where it is in parts.
fn framed(framing: Framing, drawn: &[u8]) -> Vec<u8> {
    let side = usize::from(framing.side);
    let mut framed = vec![0; side * side];
    let mut workspace = vec![0; workspace_len(side, side)];
    let picture = Picture::new(side, side, drawn);
    // What is too little to be a digit is blank paper.
    if picture.and_then(|picture| frame(&picture, framing, &mut workspace, &mut framed)).is_err() {
        framed.fill(0);
    }
    framed
}

/// The quarters of a picture (rows, columns, channels), none in its place: each moves on by one, or changes places with the one
/// across. What is left of odd sides stays.
pub(super) fn quarters(
    rng: &mut ChaCha8Rng,
    [height, width, channels]: [usize; 3],
    picture: &[u8],
) -> Vec<u8> {
    const ROUND: [[usize; 2]; 4] = [[0, 0], [0, 1], [1, 1], [1, 0]];
    let turns = rng.random_range(1..4);
    let (rows, columns) = (height / 2, width / 2);
    let mut dealt = picture.to_vec();
    for (place, to) in ROUND.into_iter().enumerate() {
        let from = ROUND[(place + turns) % 4];
        for row in 0..rows {
            let begin =
                |[down, across]: [usize; 2]| ((down * rows + row) * width + across * columns) * channels;
            let source = &picture[begin(from)..][..columns * channels];
            dealt[begin(to)..][..columns * channels].copy_from_slice(source);
        }
    }
    dealt
}

/// One side of a digit, and beyond a line through the middle a digit that lies down.
fn halves(rng: &mut ChaCha8Rng, side: usize, [upright, lying]: [&[u8]; 2]) -> Vec<u8> {
    let (sine, cosine) = rng.random_range(0.0..std::f32::consts::TAU).sin_cos();
    let centre = (side as f32 - 1.0) / 2.0;
    let leftwards = rng.random_bool(0.5);
    let from = |row: usize, column: usize| {
        let beyond = (column as f32 - centre) * cosine + (row as f32 - centre) * sine > 0.0;
        let turned = if leftwards { [column, side - 1 - row] } else { [side - 1 - column, row] };
        if beyond { lying[turned[0] * side + turned[1]] } else { upright[row * side + column] }
    };
    (0..side * side).map(|index| from(index / side, index % side)).collect()
}

/// Strokes of one pen, straight or bent, each of which begins on another one: of separate ones a single one would be framed, which
/// may be a 1.
fn scribble(rng: &mut ChaCha8Rng, side: usize) -> Vec<u8> {
    let mut picture = vec![0u8; side * side];
    let pen = rng.random_range(PEN) * side as f32;
    let mut drawn: Vec<[f32; 2]> = Vec::new();
    for _ in 0..rng.random_range(2..=5) {
        let mut anywhere = || [0, 1].map(|_| rng.random_range(0.15..0.85) * side as f32);
        let [from, to, towards] = [anywhere(), anywhere(), anywhere()];
        let from = match drawn.len() {
            0 => from,
            len => drawn[rng.random_range(0..len)],
        };
        let middle = [0, 1].map(|axis| (from[axis] + to[axis]) / 2.0);
        let towards = if rng.random_bool(STRAIGHT) { middle } else { towards };
        for step in 0..=2 * side {
            // A quadratic Bezier curve.
            let t = step as f32 / (2 * side) as f32;
            let at = [0, 1].map(|axis| {
                (1.0 - t) * (1.0 - t) * from[axis] + 2.0 * t * (1.0 - t) * towards[axis] + t * t * to[axis]
            });
            dot(&mut picture, side, at, pen);
            drawn.push(at);
        }
    }
    picture
}

/// A round spot with a soft edge.
fn dot(picture: &mut [u8], side: usize, [x, y]: [f32; 2], radius: f32) {
    let near = |place: f32| {
        let [first, last] = [place - radius - 1.0, place + radius + 2.0];
        (first.max(0.0) as usize).min(side)..(last.max(0.0) as usize).min(side)
    };
    for row in near(y) {
        for column in near(x) {
            let distance = (column as f32 - x).hypot(row as f32 - y);
            let ink = (255.0 * (radius + 0.5 - distance)).clamp(0.0, 255.0) as u8;
            let pixel = &mut picture[row * side + column];
            *pixel = ink.max(*pixel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const SIDE: usize = 8;

    /// Each pixel tells where it comes from.
    fn numbered() -> Vec<u8> {
        (0..64).collect()
    }

    #[test]
    fn no_quarter_stays_and_all_are_there() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..20 {
            let mut dealt = quarters(&mut rng, [SIDE, SIDE, 1], &numbered());
            assert!(dealt.iter().zip(numbered()).all(|(dealt, original)| *dealt != original));
            dealt.sort_unstable();
            assert_eq!(dealt, numbered());
        }
    }

    #[test]
    fn half_of_a_digit_stays() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..20 {
            let joined = halves(&mut rng, SIDE, [&[1; 64], &[2; 64]]);
            let upright = joined.iter().filter(|&&pixel| pixel == 1).count();
            assert!((28..=36).contains(&upright), "{upright}");
        }
    }

    #[test]
    fn scribbles_have_ink_and_paper() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..50 {
            let ink = scribble(&mut rng, 28).iter().filter(|&&pixel| pixel > 127).count();
            assert!((5..500).contains(&ink), "{ink}");
        }
    }
}
