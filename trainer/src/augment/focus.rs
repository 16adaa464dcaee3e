//! Another lens, or another distance: softer or sharper edges.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// How often.
const OFTEN: f64 = 0.5;
/// What a pixel takes of the one before and the one behind it; below 0 edges are sharper.
const TAKEN: std::ops::RangeInclusive<f32> = -0.12..=0.4;

/// Changes the sharpness of a picture of this shape.
pub(super) fn change(rng: &mut ChaCha8Rng, shape: [usize; 3], values: &mut [f32]) {
    if rng.random_bool(OFTEN) {
        filter(rng.random_range(TAKEN), shape, values);
    }
}

/// Adds to each pixel so much of those before and behind it, along rows, then along columns.
fn filter(taken: f32, [height, width, channels]: [usize; 3], values: &mut [f32]) {
    let row = width * channels;
    for line in values.chunks_exact_mut(row) {
        (0..channels).for_each(|channel| along(taken, width, channels, &mut line[channel..]));
    }
    (0..row).for_each(|column| along(taken, height, row, &mut values[column..]));
}

/// The same along one line of `len` values, `step` apart; the ends are their own neighbours.
fn along(taken: f32, len: usize, step: usize, values: &mut [f32]) {
    let mut before = values[0];
    for index in 0..len {
        let value = values[index * step];
        let behind = values[(index + 1).min(len - 1) * step];
        let mixed = (value + taken * (before + behind)) / (1.0 + 2.0 * taken);
        values[index * step] = mixed.clamp(0.0, 255.0);
        before = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_spreads_in_both_directions_and_an_even_picture_stays() {
        let mut values = vec![0.0; 5 * 5 * 3];
        values[(2 * 5 + 2) * 3 + 1] = 160.0;
        filter(0.5, [5, 5, 3], &mut values);
        let at = |row: usize, column: usize, channel: usize| values[(row * 5 + column) * 3 + channel];
        assert_eq!([at(2, 2, 1), at(2, 1, 1), at(1, 2, 1), at(3, 3, 1)], [40.0, 20.0, 20.0, 10.0]);
        assert!(
            (0..5).all(|row| (0..5).all(|column| at(row, column, 0) == 0.0 && at(row, column, 2) == 0.0))
        );
        let mut even = vec![77.0; 4 * 6];
        filter(-0.1, [4, 6, 1], &mut even);
        assert!(even.iter().all(|value| (value - 77.0).abs() < 1e-3));
    }
}
