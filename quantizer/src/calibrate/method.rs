//! Ways to choose a range from a histogram.

use super::entropy::Divergence;
use super::histogram::{BINS, Histogram};
use super::mse::SquaredError;
use super::search::search;
use crate::quantize::Range;

/// Values beyond the lowest and the highest hundredth of a percent are clipped.
const PERCENTILE: f64 = 0.9999;

/// How ranges are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Method {
    /// All values that occurred (Jacob et al., 2018).
    Minmax,
    /// All but 0.01 % of the values at either end (Wu et al., "Integer Quantization for Deep Learning Inference", 2020).
    Percentile,
    /// Least mean squared error between a value and its int8 form (Nagel et al., "A White Paper on Neural Network
    /// Quantization", 2021, section 3.1).
    Mse,
    /// Least Kullback-Leibler divergence (Migacz, "8-bit Inference with TensorRT", 2017).
    Entropy,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 4] = [Self::Minmax, Self::Percentile, Self::Mse, Self::Entropy];

    /// The range of a tensor with these values, of which `observed` is the smallest and the largest so far.
    pub fn range(self, histogram: &Histogram, observed: Range) -> Range {
        let range = match self {
            Self::Minmax => observed,
            Self::Percentile => percentile(histogram),
            Self::Mse => {
                let error = SquaredError::new(histogram);
                search(histogram, |low, high| error.of(low, high))
            }
            Self::Entropy => {
                let divergence = Divergence::new(histogram);
                search(histogram, |low, high| divergence.of(low, high))
            }
        };
        // The outermost bins may reach beyond what was observed.
        Range { min: range.min.max(observed.min), max: range.max.min(observed.max) }.with_zero()
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Minmax => "minmax",
            Self::Percentile => "percentile",
            Self::Mse => "mse",
            Self::Entropy => "entropy",
        })
    }
}

fn percentile(histogram: &Histogram) -> Range {
    let counts = histogram.counts();
    let total: u64 = counts.iter().sum();
    let outside = (total as f64 * (1.0 - PERCENTILE)) as u64;
    let cut = |bins: &mut dyn Iterator<Item = &u64>| {
        let mut sum = 0;
        bins.take_while(|&&count| {
            sum += count;
            sum <= outside
        })
        .count()
    };
    let low = cut(&mut counts.iter()).min(histogram.zero_bin());
    let high = (BINS - cut(&mut counts.iter().rev())).max(histogram.zero_bin() + 1);
    histogram.span(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    fn histogram(values: &[f32]) -> (Histogram, Range) {
        let observed = Range::of(values);
        let mut histogram = Histogram::new(observed);
        histogram.add(values);
        (histogram, observed)
    }

    #[test]
    fn percentile_of_a_uniform_distribution() {
        let values: Vec<f32> = (0..100_000).map(|i| i as f32 / 100_000.0).collect();
        let (histogram, observed) = histogram(&values);
        let range = Method::Percentile.range(&histogram, observed);
        assert_eq!(range.min, 0.0, "0 stays inside");
        assert!((range.max - 0.9999).abs() < 1.0 / BINS as f32);
    }

    #[test]
    fn uniform_values_are_not_clipped() {
        let mut random = Random::new(4);
        let values: Vec<f32> = (0..200_000).map(|_| random.uniform(-1.0, 1.0)).collect();
        let (histogram, observed) = histogram(&values);
        for method in [Method::Minmax, Method::Mse, Method::Entropy] {
            let range = method.range(&histogram, observed);
            assert!(range.min < -0.98 && range.max > 0.98, "{method}: {range:?}");
        }
    }

    /// Half of the values on one point, as behind ReLU or where a picture is flat: no reason to clip the others.
    #[test]
    fn a_spike_does_not_narrow_the_range() {
        for spike in [0.0, 0.31] {
            let mut random = Random::new(7);
            let mut values = vec![spike; 100_000];
            values.extend((0..100_000).map(|_| random.uniform(-1.0, 1.0)));
            let (histogram, observed) = histogram(&values);
            for method in Method::ALL {
                let range = method.range(&histogram, observed);
                assert!(range.min < -0.95 && range.max > 0.95, "{method}, spike at {spike}: {range:?}");
            }
        }
    }

    #[test]
    fn an_outlier_is_clipped_by_all_but_minmax() {
        let mut random = Random::new(5);
        let mut values: Vec<f32> = (0..1_000_000).map(|_| random.normal().abs()).collect();
        values.push(60.0);
        let (histogram, observed) = histogram(&values);
        assert_eq!(Method::Minmax.range(&histogram, observed).max, 60.0);
        // The squared error of n values rounded to steps of r / 255 is n (r / 255)^2 / 12, that of the clipped one
        // (60 - r)^2: their sum is least at r = 60 / (1 + n / (12 * 255^2)) = 26.3.
        let error = |r: f32| 1e6 * (r / 255.0).powi(2) / 12.0 + (60.0 - r).powi(2);
        let mse = Method::Mse.range(&histogram, observed).max;
        assert!(error(mse) < 1.03 * error(26.3), "{mse}");
        for method in [Method::Percentile, Method::Entropy] {
            let max = method.range(&histogram, observed).max;
            assert!((2.5..16.0).contains(&max), "{method}: {max}");
        }
    }

    #[test]
    fn mse_finds_the_best_clipping_of_a_normal_distribution() {
        // For 8 bits and a normal distribution the best symmetric clipping is near 3.9 deviations (Banner et al.,
        // "Post Training 4-bit Quantization of Convolutional Networks for Rapid-Deployment", 2019: 3.92).
        let mut random = Random::new(6);
        let values: Vec<f32> = (0..1_000_000).map(|_| random.normal()).collect();
        let (histogram, observed) = histogram(&values);
        let range = Method::Mse.range(&histogram, observed);
        for edge in [-range.min, range.max] {
            assert!((3.4..4.4).contains(&edge), "{range:?}");
        }
    }
}
