//! The information that is lost when a histogram is reduced to 256 levels.

use super::histogram::Histogram;

const LEVELS: usize = 256;

/// A level without reference counts still has some probability: a divergence is never infinite.
const SMALLEST: f64 = 1e-9;

/// The Kullback-Leibler divergence of the 256-level form of the bins `low..high` from the clipped distribution, after
/// Migacz: the reference piles everything outside on the outermost bins; the reduced form spreads each level's counts
/// evenly over its occupied bins and knows nothing of what was clipped.
pub fn divergence(histogram: &Histogram, low: usize, high: usize) -> f64 {
    let counts = histogram.counts();
    let inside = &counts[low..high];
    let below: u64 = counts[..low].iter().sum();
    let above: u64 = counts[high..].iter().sum();
    let kept: u64 = inside.iter().sum();
    let total = (below + kept + above).max(1) as f64;
    let mut divergence = 0.0;
    for level in 0..LEVELS {
        let start = level * inside.len() / LEVELS;
        let end = (level + 1) * inside.len() / LEVELS;
        let bins = &inside[start..end];
        let sum: u64 = bins.iter().sum();
        let occupied = bins.iter().filter(|&&count| count > 0).count();
        let reduced = sum as f64 / (occupied.max(1) as f64 * kept.max(1) as f64);
        for (bin, &count) in (start..end).zip(bins) {
            let piled = if bin == 0 { below } else { 0 } + if bin + 1 == inside.len() { above } else { 0 };
            let reference = (count + piled) as f64 / total;
            if reference > 0.0 {
                let reduced = if count > 0 { reduced } else { SMALLEST };
                divergence += reference * (reference / reduced.max(SMALLEST)).ln();
            }
        }
    }
    divergence
}
