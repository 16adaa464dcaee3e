//! The squared error that int8 makes on the values of a histogram.

use super::histogram::{BINS, Histogram};
use crate::quantize::Quantisation;

/// A histogram's moments over its first bins, so that the error of a level costs two look-ups however many bins it has.
pub struct SquaredError<'a> {
    histogram: &'a Histogram,
    /// For each n in 0..=[`BINS`], over the first n bins: the sums of count, count * x and count * x^2, each value x
    /// taken at the centre of its bin.
    moments: Vec<[f64; 3]>,
}

impl<'a> SquaredError<'a> {
    /// Sums up the moments of a histogram.
    pub fn new(histogram: &'a Histogram) -> Self {
        let mut moments = vec![[0.0; 3]];
        let mut sum = [0.0; 3];
        for (bin, &count) in histogram.counts().iter().enumerate() {
            let (count, x) = (count as f64, center(histogram, bin));
            sum = [sum[0] + count, sum[1] + count * x, sum[2] + count * x * x];
            moments.push(sum);
        }
        Self { histogram, moments }
    }

    /// The sum of the squared errors of all values if the bins `low..high` are the range: rounding inside, clipping
    /// outside.
    pub fn of(&self, low: usize, high: usize) -> f64 {
        let quantisation = Quantisation::of(self.histogram.span(low, high));
        let (start, end) = (f64::from(self.histogram.edge(0)), f64::from(self.histogram.edge(BINS)));
        let bins_per_unit = BINS as f64 / (end - start).max(f64::MIN_POSITIVE);
        let mut first = 0;
        let mut error = 0.0;
        for q in i8::MIN..=i8::MAX {
            let level = f64::from(quantisation.real(q));
            // A bin belongs to the level that is nearest to its centre.
            let border = (level + f64::from(quantisation.scale) / 2.0 - start) * bins_per_unit + 0.5;
            let last = if q == i8::MAX { BINS } else { (border as usize).clamp(first, BINS) };
            error += self.around(level, first, last);
            first = last;
        }
        error
    }

    /// The sum of `(x - level)^2` over the bins `first..last`.
    fn around(&self, level: f64, first: usize, last: usize) -> f64 {
        let [count, sum, square] = std::array::from_fn(|k| self.moments[last][k] - self.moments[first][k]);
        square - 2.0 * level * sum + level * level * count
    }
}

fn center(histogram: &Histogram, bin: usize) -> f64 {
    (f64::from(histogram.edge(bin)) + f64::from(histogram.edge(bin + 1))) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantize::Range;
    use crate::testing::Random;

    #[test]
    fn moments_give_the_error_of_each_value() {
        let mut random = Random::new(9);
        let mut histogram = Histogram::new(Range { min: -1.5, max: 2.5 });
        histogram.add(&(0..20_000).map(|_| 0.5 * random.normal()).collect::<Vec<_>>());
        let moments = SquaredError::new(&histogram);
        for (low, high) in [(0, BINS), (300, 1500), (700, 1030)] {
            let quantisation = Quantisation::of(histogram.span(low, high));
            let one_by_one: f64 = (0..BINS)
                .map(|bin| {
                    let x = center(&histogram, bin);
                    let error = x - f64::from(quantisation.real(quantisation.quantise(x as f32)));
                    histogram.counts()[bin] as f64 * error * error
                })
                .sum();
            let found = moments.of(low, high);
            assert!((found / one_by_one - 1.0).abs() < 1e-2, "{low}..{high}: {found}, {one_by_one}");
        }
    }
}
