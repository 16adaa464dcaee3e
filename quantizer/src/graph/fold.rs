//! Batch norm folded into the convolution before it.

use super::Filter;
use anyhow::{Result, ensure};

/// The inference-time constants of a batch norm, one value per channel.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// Scale.
    pub gamma: &'a [f32],
    /// Shift.
    pub beta: &'a [f32],
    /// Running mean.
    pub mean: &'a [f32],
    /// Running variance.
    pub variance: &'a [f32],
    /// Added to the variance.
    pub epsilon: f64,
}

/// A convolution without bias, and the batch norm behind it, as one filter.
///
/// `w' = w * gamma / sqrt(variance + epsilon)`, `b' = beta - mean * gamma / sqrt(variance + epsilon)`, computed in f64
/// (Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
/// 2018, section 3.2). `weights` holds one row per output channel.
///
/// # Errors
/// If the lengths do not match or a result is not finite.
pub fn fold(weights: &[f32], norm: &BatchNorm<'_>) -> Result<Filter> {
    let channels = norm.gamma.len();
    let equal = [norm.beta, norm.mean, norm.variance].iter().all(|values| values.len() == channels);
    ensure!(channels > 0 && equal, "the four vectors of a batch norm must have one length");
    ensure!(weights.len().is_multiple_of(channels), "{} weights for {channels} channels", weights.len());
    let factors: Vec<f64> = norm
        .gamma
        .iter()
        .zip(norm.variance)
        .map(|(&gamma, &variance)| f64::from(gamma) / (f64::from(variance) + norm.epsilon).sqrt())
        .collect();
    let rows = weights.chunks_exact((weights.len() / channels).max(1));
    let folded = rows
        .zip(&factors)
        .flat_map(|(row, factor)| row.iter().map(move |&w| (f64::from(w) * factor) as f32))
        .collect();
    let bias = norm
        .beta
        .iter()
        .zip(norm.mean)
        .zip(&factors)
        .map(|((&beta, &mean), factor)| (f64::from(beta) - f64::from(mean) * factor) as f32)
        .collect();
    Filter::new(folded, bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_filter_equals_convolution_then_norm() {
        let norm = BatchNorm {
            gamma: &[2.0, -1.0],
            beta: &[0.5, 0.25],
            mean: &[1.0, -3.0],
            variance: &[3.999, 0.249],
            epsilon: 1e-3,
        };
        let filter = fold(&[1.0, 2.0, 3.0, 4.0], &norm).unwrap();
        let expected = [(1.0, 2.0, -0.5), (-6.0, -8.0, -5.75)];
        for (channel, (a, b, bias)) in expected.into_iter().enumerate() {
            assert!((filter.weights()[2 * channel] - a).abs() < 1e-6);
            assert!((filter.weights()[2 * channel + 1] - b).abs() < 1e-6);
            assert!((filter.bias()[channel] - bias).abs() < 1e-6);
        }
    }

    #[test]
    fn a_broken_norm_is_refused() {
        let norm = BatchNorm { gamma: &[1.0], beta: &[0.0], mean: &[0.0], variance: &[-1.0], epsilon: 1e-3 };
        assert!(fold(&[1.0], &norm).is_err());
    }
}
