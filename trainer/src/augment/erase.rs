//! A hidden part (Zhong et al., "Random erasing data augmentation", 2017).

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// How often something is hidden.
const OFTEN: f64 = 0.25;
/// Each side of what is hidden, at most, as part of the picture's.
const SIDE: f32 = 0.4;

/// Hides a rectangle of a picture of this shape behind an even grey.
pub(super) fn hide(rng: &mut ChaCha8Rng, [height, width, channels]: [usize; 3], values: &mut [f32]) {
    if !rng.random_bool(OFTEN) {
        return;
    }
    let mut part = |side: usize| {
        let len = ((rng.random_range(0.1..=SIDE) * side as f32) as usize).clamp(1, side);
        let begin = rng.random_range(0..=side - len);
        begin..begin + len
    };
    let (rows, columns) = (part(height), part(width));
    let grey = rng.random_range(0.0..=255.0f32);
    for row in values.chunks_exact_mut(width * channels).take(rows.end).skip(rows.start) {
        row[columns.start * channels..columns.end * channels].fill(grey);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_quarter_of_the_pictures_lose_a_part() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut hidden = 0;
        for _ in 0..1000 {
            let mut values = vec![-1.0; 20 * 32 * 3];
            hide(&mut rng, [20, 32, 3], &mut values);
            let lost = values.iter().filter(|value| **value >= 0.0).count();
            hidden += usize::from(lost > 0);
            assert!(lost <= 8 * 13 * 3);
        }
        assert!((200..300).contains(&hidden), "{hidden}");
    }
}
