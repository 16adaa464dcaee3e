//! How often the values of a tensor occur, in equal bins over the range that was observed.

use crate::quantize::Range;

/// Bins per tensor: eight for each int8 step of the full range.
pub const BINS: usize = 2048;

/// Counts of values in [`BINS`] equal bins over a fixed range.
#[derive(Clone, Debug)]
pub struct Histogram {
    range: Range,
    counts: Vec<u64>,
}

impl Histogram {
    /// An empty histogram over `range`, widened to hold 0.
    pub fn new(range: Range) -> Self {
        Self { range: range.with_zero(), counts: vec![0; BINS] }
    }

    /// Counts values; those outside the range go to the outermost bins.
    pub fn add(&mut self, values: &[f32]) {
        let factor = BINS as f32 / self.range.width().max(f32::MIN_POSITIVE);
        for &value in values {
            let bin = ((value - self.range.min) * factor) as usize;
            self.counts[bin.min(BINS - 1)] += 1;
        }
    }

    /// Adds the counts of another histogram over the same range.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.range, other.range);
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// Values per bin.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The lower edge of a bin; of bin [`BINS`], the end of the range.
    pub fn edge(&self, bin: usize) -> f32 {
        self.range.min + self.range.width() * (bin as f32 / BINS as f32)
    }

    /// The bins `low..high` as a range of reals.
    pub fn span(&self, low: usize, high: usize) -> Range {
        Range { min: self.edge(low), max: self.edge(high) }
    }

    /// The bin that holds 0.
    pub fn zero_bin(&self) -> usize {
        let bin = -self.range.min / self.range.width().max(f32::MIN_POSITIVE) * BINS as f32;
        (bin as usize).min(BINS - 1)
    }

    /// The share of values in bins that lie outside `kept`, in [0, 1].
    pub fn share_outside(&self, kept: Range) -> f64 {
        let total: u64 = self.counts.iter().sum();
        let half = self.range.width() / (2 * BINS) as f32;
        let outside = self.counts.iter().enumerate().filter(|&(bin, _)| {
            let center = self.edge(bin) + half;
            center < kept.min || center > kept.max
        });
        outside.map(|(_, &count)| count).sum::<u64>() as f64 / total.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fall_into_their_bins() {
        let mut histogram = Histogram::new(Range { min: -1.0, max: 3.0 });
        histogram.add(&[-1.0, 0.0, 2.9999, 3.0, 99.0, -99.0]);
        assert_eq!(histogram.zero_bin(), BINS / 4);
        assert_eq!((histogram.counts()[0], histogram.counts()[BINS / 4]), (2, 1));
        assert_eq!(histogram.counts()[BINS - 1], 3);
        assert_eq!(histogram.share_outside(Range { min: -0.5, max: 2.0 }), 5.0 / 6.0);
    }

    #[test]
    fn a_tensor_of_zeros_is_no_special_case() {
        let mut histogram = Histogram::new(Range { min: 0.0, max: 0.0 });
        histogram.add(&[0.0; 5]);
        assert_eq!(histogram.counts().iter().sum::<u64>(), 5);
        assert_eq!(histogram.share_outside(Range { min: 0.0, max: 0.0 }), 0.0);
    }
}
