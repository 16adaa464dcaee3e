//! ADD as other engines compute it. Results are relative to the output's zero point, before the clamp.

use super::accumulate::centred;
use super::rescale;
use super::site::Site;
use edge8::fixed_point::Multiplier;
use edge8::operator::Add;

/// TensorFlow Lite's default: both inputs and their sum rescaled as the contract says, but each rounded twice.
pub(super) fn double(site: &Site<'_>, [first, second, sum]: &[Multiplier; 3]) -> Vec<i64> {
    let shifted = |(a, b): (i64, i64)| {
        let [a, b] = [(a, first), (b, second)].map(|(x, &by)| rescale::double(x << Add::LEFT_SHIFT, by));
        rescale::double(a + b, *sum)
    };
    pairs(site).into_iter().map(shifted).collect()
}

/// XNNPACK: each input times its scale over the output's, in fixed point so that the larger of the two has 21 bits;
/// one rounding of the sum, halves up. [`None`] for scales so unlike that XNNPACK does not take them.
pub(super) fn fixed_point(site: &Site<'_>) -> Option<Vec<i64>> {
    const FRACTION: i32 = 20;
    const TAKEN: std::ops::Range<f32> = 1.0 / 1024.0..256.0;
    let ratios = [0, 1].map(|place| scale(site, place) / site.output().quantisation.scale);
    if !ratios.iter().all(|ratio| TAKEN.contains(ratio)) {
        return None;
    }
    // The exponent of a positive normal f32.
    let exponent = (ratios[0].max(ratios[1]).to_bits() >> 23) as i32 - 127;
    let shift = FRACTION - exponent;
    let [first, second] = ratios.map(|ratio| (ratio * 2f32.powi(shift)).round_ties_even() as i64);
    let sum = |(a, b): (i64, i64)| (a * first + b * second + (1 << (shift - 1))) >> shift;
    Some(pairs(site).into_iter().map(sum).collect())
}

/// ONNX Runtime: the sum of the two reals over the output's scale, in f32, halves to even.
pub(super) fn float(site: &Site<'_>) -> Vec<i64> {
    let [first, second] = [0, 1].map(|place| scale(site, place));
    let output = site.output().quantisation.scale;
    let sum = |(a, b): (i64, i64)| ((a as f32 * first + b as f32 * second) / output).round_ties_even() as i64;
    pairs(site).into_iter().map(sum).collect()
}

fn scale(site: &Site<'_>, place: usize) -> f32 {
    site.input(place).quantisation.scale
}

/// The two centred values behind each output.
fn pairs(site: &Site<'_>) -> Vec<(i64, i64)> {
    let values = [0, 1].map(|place| centred(site, place));
    site.repeated(0).zip(site.repeated(1)).map(|(a, b)| (values[0][a], values[1][b])).collect()
}
