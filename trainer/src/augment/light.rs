//! Other light and other colours.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Added to all values, to either side.
const BRIGHTNESS: f32 = 40.0;
/// Change of the distance from the mean.
const CONTRAST: f32 = 0.3;
/// Change of the distance from grey.
const SATURATION: f32 = 0.4;
/// Change of each channel by itself, as another lamp makes it.
const TINT: f32 = 0.08;
/// Standard deviation of noise, at most.
const NOISE: f32 = 8.0;

/// Changes the values of a picture, 0 to 255, of so many channels.
pub(super) fn change(rng: &mut ChaCha8Rng, channels: usize, values: &mut [f32]) {
    let mut within = |limit: f32| rng.random_range(-limit..=limit);
    let (brightness, contrast) = (within(BRIGHTNESS), 1.0 + within(CONTRAST));
    let saturation = 1.0 + within(SATURATION);
    let tints: Vec<f32> =
        (0..channels).map(|_| if channels == 1 { 1.0 } else { 1.0 + within(TINT) }).collect();
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    // Of four uniform numbers the sum is near to normal, with a variance of 4/3 of the limit's square.
    let noise = rng.random_range(0.0..=NOISE) / (4f32 / 3.0).sqrt();
    for pixel in values.chunks_exact_mut(channels) {
        let grey = pixel.iter().sum::<f32>() / channels as f32;
        for (value, tint) in pixel.iter_mut().zip(&tints) {
            let coloured = grey + (*value - grey) * saturation;
            let random: f32 = (0..4).map(|_| rng.random_range(-1.0..=1.0f32)).sum();
            let changed = mean + (coloured * tint - mean) * contrast + brightness + noise * random;
            *value = changed.clamp(0.0, 255.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn values_stay_in_their_range_and_grey_stays_grey() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for channels in [1, 3] {
            let mut distance = 0.0;
            for level in 0..=255u8 {
                let mut values = vec![f32::from(level); 30 * channels];
                change(&mut rng, channels, &mut values);
                assert!(values.iter().all(|value| (0.0..=255.0).contains(value)));
                distance +=
                    (values.iter().sum::<f32>() / values.len() as f32 - f32::from(level)).abs() / 256.0;
            }
            assert!((5.0..BRIGHTNESS).contains(&distance), "{distance}");
        }
    }
}
