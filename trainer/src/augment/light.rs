//! Other light and other colours.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// How far light and colours may change, to either side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Added to all values.
    brightness: f32,
    /// Change of the distance from the mean.
    contrast: f32,
    /// Change of the distance from grey.
    saturation: f32,
    /// How often the picture becomes grey.
    grey: f64,
    /// How often it is inverted.
    inverted: f64,
    /// Turn of the colours about grey, in half circles.
    hue: f32,
}

/// Other light on the same things.
pub(super) const LIGHT: Limits =
    Limits { brightness: 40.0, contrast: 0.3, saturation: 0.4, grey: 0.0, inverted: 0.0, hue: 0.0 };
/// Things of the same shape in any colours.
pub(super) const RECOLOURED: Limits =
    Limits { brightness: 60.0, contrast: 0.5, saturation: 0.8, grey: 0.3, inverted: 0.5, hue: 1.0 };

/// Change of each channel by itself, as another lamp makes it.
const TINT: f32 = 0.08;
/// Standard deviation of noise, at most.
const NOISE: f32 = 8.0;

/// Changes the values of a picture, 0 to 255, of so many channels.
pub(super) fn change(rng: &mut ChaCha8Rng, limits: Limits, channels: usize, values: &mut [f32]) {
    if limits.inverted > 0.0 && rng.random_bool(limits.inverted) {
        values.iter_mut().for_each(|value| *value = 255.0 - *value);
    }
    if limits.hue > 0.0 && channels == 3 {
        turn(rng.random_range(-limits.hue..=limits.hue), values);
    }
    let is_grey = limits.grey > 0.0 && rng.random_bool(limits.grey);
    let mut within = |limit: f32| rng.random_range(-limit..=limit);
    let (brightness, contrast) = (within(limits.brightness), 1.0 + within(limits.contrast));
    let saturation = if is_grey { 0.0 } else { 1.0 + within(limits.saturation) };
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

/// Turns the colours of RGB values about the grey axis, by an angle in half circles (Rodrigues' formula).
fn turn(angle: f32, values: &mut [f32]) {
    let (sine, cosine) = (angle * std::f32::consts::PI).sin_cos();
    let (even, odd) = ((1.0 - cosine) / 3.0, sine / 3f32.sqrt());
    for pixel in values.as_chunks_mut::<3>().0 {
        let [red, green, blue] = *pixel;
        let turned =
            |own: f32, next: f32, last: f32| own * cosine + even * (red + green + blue) + odd * (last - next);
        *pixel = [turned(red, green, blue), turned(green, blue, red), turned(blue, red, green)];
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
                change(&mut rng, LIGHT, channels, &mut values);
                assert!(values.iter().all(|value| (0.0..=255.0).contains(value)));
                distance +=
                    (values.iter().sum::<f32>() / values.len() as f32 - f32::from(level)).abs() / 256.0;
            }
            assert!((5.0..LIGHT.brightness).contains(&distance), "{distance}");
        }
    }

    #[test]
    fn a_third_of_a_circle_moves_red_to_green() {
        let mut values = [200.0, 10.0, 30.0];
        turn(2.0 / 3.0, &mut values);
        for (turned, expected) in values.iter().zip([30.0, 200.0, 10.0]) {
            assert!((turned - expected).abs() < 1e-3, "{values:?}");
        }
    }

    #[test]
    fn recoloured_pictures_are_inverted_half_of_the_time() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let dark_first = (0..1000).filter(|_| {
            let mut values = [[20.0; 60], [230.0; 60]].concat();
            change(&mut rng, RECOLOURED, 3, &mut values);
            values[..60].iter().sum::<f32>() < values[60..].iter().sum::<f32>()
        });
        assert!((430..570).contains(&dark_first.count()));
    }
}
