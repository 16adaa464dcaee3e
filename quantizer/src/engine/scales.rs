//! The weights' scales of a model image. It stores multipliers, `s_in * s_w / s_out` to 31 bits; a scale has 24, so that
//! the multiplier tells which it was.

use crate::quantize::{Quantisation, fully_connected_multipliers, multipliers};
use edge8::fixed_point::Multiplier;

/// One scale per output channel; [`None`] if one's multiplier comes from no scale.
pub(super) fn per_channel(
    input: Quantisation,
    found: &[Multiplier],
    output: Quantisation,
) -> Option<Vec<f32>> {
    let scale = |&wanted: &Multiplier| {
        let gives = |scale: &f32| multipliers(input, &[*scale], output, 1)[0] == wanted;
        candidates(f64::from(wanted.mantissa), input, wanted.shift, output).find(gives)
    };
    found.iter().map(scale).collect()
}

/// As [`per_channel`]; a single scale where all channels have one multiplier, as a fully connected layer of a `.tflite`
/// file mostly has.
pub(super) fn fully_connected(
    input: Quantisation,
    found: &[Multiplier],
    output: Quantisation,
) -> Option<Vec<f32>> {
    let &wanted = found.first()?;
    let gives = |scale: &f32| fully_connected_multipliers(input, &[*scale], output, 1)[0] == wanted;
    let single = candidates(f64::from(wanted.mantissa), input, wanted.shift, output).find(gives);
    match single {
        Some(scale) if found.iter().all(|multiplier| *multiplier == wanted) => Some(vec![scale]),
        _ if found.len() == 1 => None,
        _ => per_channel(input, found, output),
    }
}

/// The quotient as f32 and its neighbours; for a multiplier of 0 the smallest scale there is.
fn candidates(
    mantissa: f64,
    input: Quantisation,
    shift: i8,
    output: Quantisation,
) -> impl Iterator<Item = f32> {
    let real = mantissa * 2f64.powi(i32::from(shift) - 31);
    let nearest = (real * f64::from(output.scale) / f64::from(input.scale)) as f32;
    let near = [nearest, nearest.next_up(), nearest.next_down()];
    near.into_iter().chain([f32::MIN_POSITIVE]).filter(|scale| scale.is_normal() && *scale > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn scales_are_found_again() {
        let mut random = Random::new(17);
        let mut scale = || 2f32.powf(random.uniform(-12.0, 3.0));
        for _ in 0..2_000 {
            let [input, output] = [(); 2].map(|()| Quantisation { scale: scale(), zero_point: 0 });
            let scales = vec![scale() / 64.0, scale() / 64.0, scale() / 64.0];
            let many = multipliers(input, &scales, output, 3);
            assert_eq!(per_channel(input, &many, output), Some(scales.clone()));
            assert_eq!(fully_connected(input, &many, output), Some(scales.clone()));
            let same = fully_connected_multipliers(input, &scales[..1], output, 3);
            let found = fully_connected(input, &same, output).unwrap();
            assert_eq!((found.len(), fully_connected_multipliers(input, &found, output, 3)), (1, same));
        }
    }

    #[test]
    fn a_dead_channel_has_a_scale_too() {
        let unit = Quantisation { scale: 1.0, zero_point: 0 };
        let dead = Multiplier { mantissa: 0, shift: 0 };
        assert_eq!(per_channel(unit, &[dead], unit), Some(vec![f32::MIN_POSITIVE]));
        // A mantissa that no scale gives.
        assert_eq!(per_channel(unit, &[Multiplier { mantissa: (1 << 30) + 1, shift: 0 }], unit), None);
    }
}
