//! The squared error that int8 makes on the values of a histogram.

use super::histogram::{BINS, Histogram};
use crate::quantize::Quantisation;

/// The sum of the squared errors of all values, each taken at the centre of its bin, if the bins `low..high` are the
/// range: rounding inside, clipping outside.
pub fn error(histogram: &Histogram, low: usize, high: usize) -> f64 {
    let quantisation = Quantisation::of(histogram.span(low, high));
    let half = (histogram.edge(BINS) - histogram.edge(0)) / (2 * BINS) as f32;
    let occupied = histogram.counts().iter().enumerate().filter(|&(_, &count)| count > 0);
    occupied
        .map(|(bin, &count)| {
            let value = histogram.edge(bin) + half;
            let error = f64::from(value - quantisation.real(quantisation.quantise(value)));
            count as f64 * error * error
        })
        .sum()
}
