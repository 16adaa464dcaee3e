//! Batch normalisation: statistics that survive large means, folding, and the gradient (Ioffe and Szegedy, 2015).

use mobilenet::BATCH_NORM_EPSILON;

/// Count, mean and sum of squared deviations of each channel.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    count: f64,
    mean: Vec<f64>,
    deviations: Vec<f64>,
}

impl Moments {
    /// From sums of `x - shift` and of its square over `count` rows. A shift near the mean keeps f32 sums exact enough.
    pub(crate) fn from_sums(count: usize, shift: &[f32], sum: &[f32], square: &[f32]) -> Self {
        let count = count as f64;
        let mean = shift.iter().zip(sum).map(|(&shift, &sum)| f64::from(shift) + f64::from(sum) / count);
        let deviations = sum.iter().zip(square).map(|(&sum, &square)| {
            let sum = f64::from(sum);
            (f64::from(square) - sum * sum / count).max(0.0)
        });
        Self { count, mean: mean.collect(), deviations: deviations.collect() }
    }

    /// Of a batch of which only the statistics are known; all batches weigh the same.
    pub(crate) fn of_batch(statistics: &Statistics) -> Self {
        let f64s = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
        Self { count: 1.0, mean: f64s(&statistics.mean), deviations: f64s(&statistics.variance) }
    }

    /// Of all parts together (Chan, Golub and LeVeque, 1979), in their order.
    pub(crate) fn merge(parts: &[Self]) -> Self {
        let mut total = parts[0].clone();
        for part in &parts[1..] {
            let count = total.count + part.count;
            let (weight, shared) = (part.count / count, total.count * part.count / count);
            let own = total.mean.iter_mut().zip(&mut total.deviations);
            for ((mean, deviations), (part_mean, part_deviations)) in
                own.zip(part.mean.iter().zip(&part.deviations))
            {
                let delta = part_mean - *mean;
                *mean += delta * weight;
                *deviations += part_deviations + delta * delta * shared;
            }
            total.count = count;
        }
        total
    }

    /// Mean and (biased) variance, as batch normalisation uses them.
    pub(crate) fn statistics(&self) -> Statistics {
        Statistics {
            mean: self.mean.iter().map(|&mean| mean as f32).collect(),
            variance: self.deviations.iter().map(|&sum| (sum / self.count) as f32).collect(),
        }
    }
}

/// Mean and variance of each channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Statistics {
    /// Mean of each channel.
    pub(crate) mean: Vec<f32>,
    /// Biased variance of each channel.
    pub(crate) variance: Vec<f32>,
}

/// A batch normalisation as the affine map `x * scale + shift`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Normalisation {
    /// What the map was made from.
    pub(crate) statistics: Statistics,
    /// `1 / sqrt(variance + epsilon)`.
    pub(crate) inverse: Vec<f32>,
    /// `gamma * inverse`.
    pub(crate) scale: Vec<f32>,
    /// `beta - mean * scale`.
    pub(crate) shift: Vec<f32>,
}

/// The gradients of a batch normalisation.
#[derive(Debug)]
pub(crate) struct NormalisationGradient {
    /// Of gamma.
    pub(crate) gamma: Vec<f32>,
    /// Of beta.
    pub(crate) beta: Vec<f32>,
    /// Of the input: `gradient * scale + x * slope + shift`, the three in this order.
    pub(crate) coefficients: [Vec<f32>; 3],
}

impl NormalisationGradient {
    /// The coefficients as the kernels take them.
    pub(crate) fn coefficients(&self) -> [&[f32]; 3] {
        let [scale, slope, shift] = &self.coefficients;
        [scale, slope, shift]
    }
}

impl Normalisation {
    /// Folds the four vectors of a batch normalisation.
    pub(crate) fn new(statistics: Statistics, gamma: &[f32], beta: &[f32]) -> Self {
        let inverse: Vec<f32> = (statistics.variance.iter())
            .map(|&variance| (1.0 / (f64::from(variance) + BATCH_NORM_EPSILON).sqrt()) as f32)
            .collect();
        let scale: Vec<f32> = gamma.iter().zip(&inverse).map(|(gamma, inverse)| gamma * inverse).collect();
        let shift = (0..scale.len())
            .map(|channel| beta[channel] - statistics.mean[channel] * scale[channel])
            .collect();
        Self { statistics, inverse, scale, shift }
    }

    /// From the sums of the output's gradient and of its product with `x - mean`, over `rows` rows.
    pub(crate) fn backward(&self, rows: usize, sums: &GradientSums) -> NormalisationGradient {
        let rows = rows as f64;
        let mut gradient = NormalisationGradient {
            gamma: Vec::new(),
            beta: Vec::new(),
            coefficients: [self.scale.clone(), Vec::new(), Vec::new()],
        };
        for channel in 0..self.scale.len() {
            let (sum, product) = (sums.sum[channel], sums.product[channel]);
            let (scale, inverse) = (f64::from(self.scale[channel]), f64::from(self.inverse[channel]));
            let slope = -scale * inverse * inverse * product / rows;
            let shift = -scale * sum / rows - slope * f64::from(self.statistics.mean[channel]);
            gradient.gamma.push((inverse * product) as f32);
            gradient.beta.push(sum as f32);
            gradient.coefficients[1].push(slope as f32);
            gradient.coefficients[2].push(shift as f32);
        }
        gradient
    }
}

/// Totals of a gradient and of its product with the centred input, per channel.
#[derive(Clone, Debug)]
pub(crate) struct GradientSums {
    /// Total of the gradient.
    pub(crate) sum: Vec<f64>,
    /// Total of `gradient * (x - mean)`.
    pub(crate) product: Vec<f64>,
}

impl GradientSums {
    /// Adds up the parts in their order, in f64.
    pub(crate) fn merge<'a>(channels: usize, parts: impl Iterator<Item = (&'a [f32], &'a [f32])>) -> Self {
        let mut total = Self { sum: vec![0.0; channels], product: vec![0.0; channels] };
        for (sum, product) in parts {
            total.sum.iter_mut().zip(sum).for_each(|(total, &value)| *total += f64::from(value));
            total.product.iter_mut().zip(product).for_each(|(total, &value)| *total += f64::from(value));
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive_a_mean_far_from_zero() {
        let values: Vec<f32> = (0..1000).map(|i| 1000.0 + (i % 7) as f32 * 0.01).collect();
        let parts: Vec<Moments> = (values.chunks(300))
            .map(|part| {
                let shift = [part[0]];
                let sum: f32 = part.iter().map(|value| value - shift[0]).sum();
                let square: f32 = part.iter().map(|value| (value - shift[0]).powi(2)).sum();
                Moments::from_sums(part.len(), &shift, &[sum], &[square])
            })
            .collect();
        let statistics = Moments::merge(&parts).statistics();
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / 1000.0;
        let variance = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / 1000.0;
        assert!((f64::from(statistics.mean[0]) - mean).abs() < 1e-4);
        assert!((f64::from(statistics.variance[0]) / variance - 1.0).abs() < 1e-4);
    }
}
