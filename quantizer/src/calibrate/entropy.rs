//! The information that is lost when a histogram is reduced to 256 levels.

use super::histogram::Histogram;

const LEVELS: usize = 256;

/// A level without reference counts still has some probability: a divergence is never infinite.
const SMALLEST: f64 = 1e-9;

/// Bins to either side among which a bin is compared with the median.
const NEIGHBOURS: usize = 16;

/// A bin that holds more than this many times its neighbours' median is a spike.
const SPIKE: u64 = 2;

/// The distribution of a tensor without its spikes.
///
/// Zeros behind ReLU and the flat background of a picture put large shares of all values on single points. int8 has
/// a level near each of them whatever the range, but smearing one over its level's bins would seem to lose so much that the
/// narrowest range wins. (NVIDIA's calibrators leave out the bin of zero for this reason; here any point can be one.)
pub struct Divergence {
    counts: Vec<u64>,
}

impl Divergence {
    /// Takes the spikes out of a histogram.
    pub fn new(histogram: &Histogram) -> Self {
        let counts = histogram.counts();
        let smooth = |bin: usize| {
            let around = bin.saturating_sub(NEIGHBOURS)..(bin + NEIGHBOURS + 1).min(counts.len());
            let mut around = counts[around].to_vec();
            let middle = around.len() / 2;
            counts[bin].min(SPIKE * (*around.select_nth_unstable(middle).1).max(1))
        };
        Self { counts: (0..counts.len()).map(smooth).collect() }
    }

    /// The Kullback-Leibler divergence of the 256-level form of the bins `low..high` from the clipped distribution,
    /// after Migacz: the reference piles everything outside on the outermost bins; the reduced form spreads each level's
    /// counts evenly over its occupied bins and knows nothing of what was clipped.
    pub fn of(&self, low: usize, high: usize) -> f64 {
        let counts = &self.counts;
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
                let piled =
                    if bin == 0 { below } else { 0 } + if bin + 1 == inside.len() { above } else { 0 };
                let reference = (count + piled) as f64 / total;
                if reference > 0.0 {
                    let reduced = if count > 0 { reduced } else { SMALLEST };
                    divergence += reference * (reference / reduced.max(SMALLEST)).ln();
                }
            }
        }
        divergence
    }
}
