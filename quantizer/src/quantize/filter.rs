//! Weights, biases and multipliers of one layer, per output channel.

use super::activations::Quantisation;
use super::multiplier::multiplier;
use crate::graph::Filter;
use anyhow::{Result, ensure};
use edge8::fixed_point::Multiplier;

/// Largest absolute bias: half of what 32 bits hold, the other half belongs to the products.
const BIAS_LIMIT: f64 = (1 << 30) as f64;

/// Bound on a product `w * (x - zero_point)` of any two int8 values.
const PRODUCT_LIMIT: usize = 128 * 255;

/// An int8 filter. Rows as in [`Filter`].
#[derive(Clone, Debug)]
pub struct Int8Filter {
    /// One row per output channel, in [-127, 127].
    pub weights: Vec<i8>,
    /// One scale per output channel, or a single one for all.
    pub scales: Vec<f32>,
    /// Scale `s_in * s_w[c]`, zero point 0.
    pub bias: Vec<i32>,
    /// `s_in * s_w[c] / s_out`.
    pub multipliers: Vec<Multiplier>,
}

impl Int8Filter {
    /// Weights per output channel.
    pub fn row_len(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    /// Quantises a filter between an input and an output of known quantisation.
    ///
    /// # Errors
    /// If a row is so long that a sum could exceed 32 bits.
    pub fn new(filter: &Filter, input: Quantisation, output: Quantisation) -> Result<Self> {
        let row_len = filter.row_len();
        ensure!(
            row_len.checked_mul(PRODUCT_LIMIT).is_some_and(|sum| sum < BIAS_LIMIT as usize),
            "{row_len} weights per output channel could exceed a 32-bit sum: at most {} are possible",
            BIAS_LIMIT as usize / PRODUCT_LIMIT
        );
        let rows = filter.weights().chunks_exact(row_len);
        let scales: Vec<f32> =
            rows.clone().zip(filter.bias()).map(|(row, &bias)| weight_scale(row, bias, input)).collect();
        let weights = rows.zip(&scales).flat_map(|(row, &scale)| row.iter().map(move |&w| weight(w, scale)));
        let bias = filter.bias().iter().zip(&scales).map(|(&bias, &scale)| {
            let quotient = f64::from(bias) / (f64::from(input.scale) * f64::from(scale));
            quotient.round().clamp(-BIAS_LIMIT, BIAS_LIMIT) as i32
        });
        Ok(Self {
            weights: weights.collect(),
            bias: bias.collect(),
            multipliers: multipliers(input, &scales, output, scales.len()),
            scales,
        })
    }

    /// As [`new`](Self::new), for a fully connected layer.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn fully_connected(filter: &Filter, input: Quantisation, output: Quantisation) -> Result<Self> {
        let mut int8 = Self::new(filter, input, output)?;
        int8.multipliers = fully_connected_multipliers(input, &int8.scales, output, int8.bias.len());
        Ok(int8)
    }
}

/// `s_in * s_w / s_out` for each of `channels` output channels; a single weight scale is that of all.
pub(crate) fn multipliers(
    input: Quantisation,
    scales: &[f32],
    output: Quantisation,
    channels: usize,
) -> Vec<Multiplier> {
    let scales = scales.iter().cycle().take(channels);
    scales.map(|&scale| ratio(f64::from(input.scale) * f64::from(scale), output)).collect()
}

/// As [`multipliers`], but a fully connected layer with a single weight scale forms the product of the input scales in
/// f32, as TensorFlow Lite does; a product beyond f32 is the largest there is.
pub(crate) fn fully_connected_multipliers(
    input: Quantisation,
    scales: &[f32],
    output: Quantisation,
    channels: usize,
) -> Vec<Multiplier> {
    match scales {
        [scale] => vec![ratio(f64::from((input.scale * scale).min(f32::MAX)), output); channels],
        _ => multipliers(input, scales, output, channels),
    }
}

fn ratio(product: f64, output: Quantisation) -> Multiplier {
    multiplier(product / f64::from(output.scale))
}

fn weight(real: f32, scale: f32) -> i8 {
    (real / scale).round().clamp(-127.0, 127.0) as i8
}

/// The largest weight becomes 127. A channel whose weights are (nearly) zero beside its bias gets a larger scale: the
/// bias must fit into 32 bits.
fn weight_scale(row: &[f32], bias: f32, input: Quantisation) -> f32 {
    let largest = row.iter().fold(0f32, |largest, w| largest.max(w.abs()));
    let for_bias = f64::from(bias.abs()) / (f64::from(input.scale) * BIAS_LIMIT);
    let scale = (largest / 127.0).max(for_bias as f32);
    if scale.is_normal() { scale } else { f32::MIN_POSITIVE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantize::activations::Range;

    const INPUT: Quantisation = Quantisation { scale: 1.0 / 255.0, zero_point: -128 };

    fn quantised(weights: &[f32], bias: &[f32]) -> Int8Filter {
        let filter = Filter::new(weights.to_vec(), bias.to_vec()).unwrap();
        Int8Filter::new(&filter, INPUT, Quantisation::of(Range { min: 0.0, max: 6.0 })).unwrap()
    }

    #[test]
    fn each_channel_has_its_own_scale() {
        let int8 = quantised(&[0.5, -1.27, 0.005, 0.0127], &[0.1, -0.2]);
        assert_eq!(int8.weights, [50, -127, 50, 127]);
        assert_eq!(
            int8.bias[0],
            (0.1f64 / (f64::from(1f32 / 255.0) * f64::from(int8.scales[0]))).round() as i32
        );
        assert!((f64::from(int8.scales[0]) - 0.01).abs() < 1e-8);
    }

    #[test]
    fn a_channel_with_only_a_bias_keeps_it() {
        for (weight, bias) in [(0.0, 0.75), (1e-30, 3.01), (f32::MIN_POSITIVE / 8.0, -0.5)] {
            let int8 = quantised(&[weight], &[bias]);
            let multiplier = int8.multipliers[0];
            let result = multiplier.rescale(int8.bias[0]);
            assert_eq!(result, (f64::from(bias) * 255.0 / 6.0).round() as i64, "{weight} {bias}");
        }
    }

    #[test]
    fn a_dead_channel_is_zero() {
        let int8 = quantised(&[0.0, 0.0], &[0.0]);
        assert_eq!((int8.weights, int8.bias), (vec![0, 0], vec![0]));
        assert!(int8.multipliers[0].is_valid());
    }

    /// Scales that no network has, but a file may state.
    #[test]
    fn products_beyond_f32_give_the_largest_multiplier() {
        let huge = Quantisation { scale: 1e30, zero_point: 0 };
        let output = Quantisation { scale: 1.0, zero_point: 0 };
        let largest = Multiplier { mantissa: i32::MAX, shift: 30 };
        assert_eq!(fully_connected_multipliers(huge, &[1e30], output, 2), [largest; 2]);
    }

    #[test]
    fn sums_beyond_32_bits_are_refused() {
        let filter = Filter::new(vec![0.1; 40_000], vec![0.0]).unwrap();
        assert!(Int8Filter::new(&filter, INPUT, INPUT).is_err());
    }
}
