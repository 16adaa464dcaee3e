//! Counts of grey levels and of differences of grey levels.

/// Values from `-OFFSET` to `OFFSET - 1` have a bin of their own; others go to the nearest one.
pub(super) const OFFSET: i32 = 512;

/// Half the width of the window in which [`Histogram::mode`] counts.
const MODE_WINDOW: i32 = 2;

/// Bytes of a histogram.
pub(super) const BYTES: usize = 4 * OFFSET as usize;

/// How often each value occurred; at most 65,535 values.
///
/// A bin is two bytes, so that a histogram can lie in any bytes.
#[derive(Debug)]
pub(super) struct Histogram<'a> {
    bins: &'a mut [[u8; 2]],
}

impl<'a> Histogram<'a> {
    /// Counts in `memory`, [`BYTES`] or more.
    pub fn new(memory: &'a mut [u8]) -> Self {
        Self { bins: memory.as_chunks_mut().0 }
    }

    /// Replaces the contents by `values`. Inlined: a call would have a second copy of its iterator on a device's small stack.
    #[inline(always)]
    pub fn collect(&mut self, values: impl Iterator<Item = i32>) -> &Self {
        self.clear();
        for value in values {
            self.add(value);
        }
        self
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.bins.fill([0; 2]);
    }

    /// Counts a value.
    pub fn add(&mut self, value: i32) {
        let index = (value.clamp(-OFFSET, OFFSET - 1) + OFFSET) as usize;
        if let Some(bin) = self.bins.get_mut(index) {
            *bin = u16::from_le_bytes(*bin).saturating_add(1).to_le_bytes();
        }
    }

    fn count(&self, value: i32) -> u32 {
        let index = usize::try_from(value + OFFSET).ok();
        index.and_then(|index| self.bins.get(index)).map_or(0, |bin| u16::from_le_bytes(*bin).into())
    }

    /// How many values lie in `from..=to`.
    pub fn count_in(&self, from: i32, to: i32) -> u32 {
        (from..=to).map(|value| self.count(value)).sum()
    }

    /// The least value in `from..=to` with at least `part / whole` of that range's values at or below it.
    ///
    /// Not inlined: a device's flash has room for one copy.
    #[inline(never)]
    pub fn quantile(&self, from: i32, to: i32, part: u32, whole: u32) -> i32 {
        let total = self.count_in(from, to);
        let mut seen = 0;
        for value in from..to {
            seen += self.count(value);
            if seen * whole >= total * part && seen > 0 {
                return value;
            }
        }
        to
    }

    /// The median of all values; 0 if there are none.
    pub fn median(&self) -> i32 {
        if self.count_in(-OFFSET, OFFSET - 1) == 0 {
            return 0;
        }
        self.quantile(-OFFSET, OFFSET - 1, 1, 2)
    }

    /// The value from `from` on around which most values lie, and how many lie there.
    ///
    /// Not inlined: a device's flash has room for one copy.
    #[inline(never)]
    pub fn mode(&self, from: i32) -> (i32, u32) {
        let mut best = (0, 0);
        for value in from.max(-OFFSET)..OFFSET {
            // The value itself counts once more: of equal windows the one with the peak in its middle wins.
            let window = self.count_in(value - MODE_WINDOW, value + MODE_WINDOW) + self.count(value);
            if window > best.1 {
                best = (value, window);
            }
        }
        best
    }

    /// The largest value; 0 if that is negative.
    pub fn largest(&self) -> i32 {
        (1..OFFSET).rev().find(|value| self.count(*value) > 0).unwrap_or(0)
    }

    /// Of the values with magnitude below `limit`: five sixths have at most this magnitude.
    pub fn spread(&self, limit: i32) -> i32 {
        let total = self.count_in(1 - limit, limit - 1);
        let mut seen = self.count(0);
        let mut magnitude = 0;
        while seen * 6 < total * 5 && magnitude < limit {
            magnitude += 1;
            seen += self.count(magnitude) + self.count(-magnitude);
        }
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_statistics() {
        let mut memory = [9; BYTES];
        let mut histogram = Histogram::new(&mut memory);
        histogram.collect([5, -3, 5, 9, 200, -700, 6].into_iter());
        assert_eq!(histogram.median(), 5);
        assert_eq!(histogram.mode(-OFFSET), (5, 5));
        assert_eq!(histogram.mode(6), (6, 4));
        assert_eq!(histogram.largest(), 200);
        assert_eq!(histogram.spread(10), 9);
        assert_eq!(histogram.quantile(0, 255, 1, 1), 200);
        assert_eq!(histogram.count_in(-OFFSET, -OFFSET), 1);
        assert_eq!(histogram.collect(core::iter::empty()).median(), 0);
    }
}
