//! SOFTMAX in f32, as LiteRT's optimised kernel and ONNX Runtime compute it.

use super::site::Site;
use edge8::fixed_point::Multiplier;

/// Probabilities in steps of 1/256, halves up. The multiplier is the contract's, `beta * s_in * 2^26`.
pub(super) fn float(site: &Site<'_>, by: Multiplier) -> Vec<i64> {
    let step = (f64::from(by.mantissa) * 2f64.powi(i32::from(by.shift) - 31 - 26)) as f32;
    let table: Vec<f32> = (0..=255u8).map(|below| (-step * f32::from(below)).exp()).collect();
    site.inputs[0]
        .chunks_exact(site.input(0).shape.channels)
        .flat_map(|row| probabilities(row, &table))
        .collect()
}

/// `table` holds the exponential of each distance to the largest value.
fn probabilities(row: &[i8], table: &[f32]) -> Vec<i64> {
    let max = row.iter().copied().max().unwrap_or(0);
    let exponentials: Vec<f32> = row.iter().map(|&x| table[usize::from(x.abs_diff(max))]).collect();
    let scale = 256.0 / exponentials.iter().sum::<f32>();
    exponentials.iter().map(|e| (e * scale + 0.5).floor() as i64).collect()
}
