//! MEAN and AVERAGE_POOL_2D as other engines compute them. Results are relative to the output's zero point, before the
//! clamp.

use super::accumulate::{counts, sums};
use super::rescale;
use super::site::Site;
use crate::graph::Window;
use crate::quantize::multiplier;
use std::cmp::Ordering;

/// XNNPACK and ONNX Runtime: the sum times `s_in / s_out / n` in f32, halves to even.
pub(super) fn float_mean(site: &Site<'_>) -> Vec<i64> {
    let [input, output] = [site.input(0), site.output()].map(|tensor| tensor.quantisation.scale);
    let scale = input / output / values_each(site) as f32;
    sums(site).iter().map(|&sum| rescale::float(sum, scale)).collect()
}

/// LiteRT's optimised kernel: the sum of the raw values rescaled by `s_in / (n * s_out)`, rounded twice, and the zero
/// points' share rounded by itself.
pub(super) fn optimised_mean(site: &Site<'_>) -> Vec<i64> {
    let [input, output] = [site.input(0), site.output()].map(|tensor| tensor.quantisation);
    let count = values_each(site);
    let by = multiplier(f64::from(input.scale) / (count as f64 * f64::from(output.scale)));
    let share = (f32::from(input.zero_point) * input.scale / output.scale).round() as i64;
    let zero_points = count as i64 * i64::from(input.zero_point);
    sums(site)
        .iter()
        .map(|&sum| rescale::double_halves_up(sum + zero_points, by).saturating_sub(share))
        .collect()
}

fn values_each(site: &Site<'_>) -> usize {
    site.input(0).shape.height * site.input(0).shape.width
}

/// An average in floats: where it is an exact half, rounding errors decide, here against the contract's "away from
/// zero".
pub(super) fn other_half(site: &Site<'_>, window: &Window) -> Vec<i64> {
    let zero_point = i64::from(site.output().quantisation.zero_point);
    let average = |(&sum, count): (&i64, i64)| {
        let up = match (2 * sum.rem_euclid(count)).cmp(&count) {
            Ordering::Less => false,
            Ordering::Equal => sum < 0,
            Ordering::Greater => true,
        };
        sum.div_euclid(count) + i64::from(up) - zero_point
    };
    sums(site).iter().zip(counts(site, window)).map(average).collect()
}
