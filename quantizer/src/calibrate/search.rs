//! The range with the lowest cost, one edge after the other.

use super::histogram::{BINS, Histogram};
use crate::quantize::Range;

/// Bins between two candidates.
const STEP: usize = 16;

/// Fewest bins of a range: one for each int8 value.
const NARROWEST: usize = 256;

/// Both edges take turns: each moves to where `cost` (of the bins `low..high`) is lowest, until neither moves.
/// Ranges hold 0; among equal costs the widest range wins.
pub fn search(histogram: &Histogram, cost: impl Fn(usize, usize) -> f64) -> Range {
    let zero = histogram.zero_bin();
    let (mut low, mut high) = (0, BINS);
    loop {
        let narrowest = (low + NARROWEST).max(zero + 1);
        let tops = (narrowest..=BINS).rev().step_by(STEP);
        let new_high = cheapest(tops, |top| cost(low, top)).unwrap_or(high);
        let narrowest = new_high.saturating_sub(NARROWEST).min(zero);
        let bottoms = (0..=narrowest).step_by(STEP);
        let new_low = cheapest(bottoms, |bottom| cost(bottom, new_high)).unwrap_or(low);
        if (new_low, new_high) == (low, high) {
            return histogram.span(low, high);
        }
        (low, high) = (new_low, new_high);
    }
}

/// The first candidate of the lowest cost.
fn cheapest(candidates: impl Iterator<Item = usize>, cost: impl Fn(usize) -> f64) -> Option<usize> {
    let costs = candidates.map(|candidate| (cost(candidate), candidate));
    costs.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}
