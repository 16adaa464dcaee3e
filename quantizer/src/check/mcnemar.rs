//! Two classifiers on the same images: McNemar's comparison of their disagreements.

use super::tango;

/// How often just one of two classifiers is right, on the same images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discordance {
    /// All images, at least one.
    pub images: usize,
    /// Only the first is right.
    pub lost: usize,
    /// Only the second is right.
    pub gained: usize,
}

/// Whether the second classifier is at most so much worse than the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is: the whole interval of the drop is within the limit.
    Passed,
    /// The drop itself is not below the limit.
    Failed,
    /// The drop is below the limit, but so few images leave room for one beyond it.
    NotEnoughPictures {
        /// Images on which the same shares of losses and gains would pass.
        needed: usize,
    },
}

impl Discordance {
    /// The first's accuracy less the second's, in percentage points: `100 (b - c) / n`.
    pub fn drop_points(&self) -> f64 {
        100.0 * (self.lost as f64 - self.gained as f64) / self.images.max(1) as f64
    }

    /// The 95 % confidence interval of the drop, in percentage points: Tango's score interval.
    pub fn interval_points(&self) -> [f64; 2] {
        self.interval_on(self.images.max(1) as f64)
    }

    /// Holds the interval of the drop against the largest drop that passes, in percentage points.
    pub fn verdict(&self, max_drop: f64) -> Verdict {
        let passes = |images: usize| self.interval_on(images as f64)[1] <= max_drop;
        if passes(self.images.max(1)) {
            return Verdict::Passed;
        }
        if self.drop_points() >= max_drop {
            return Verdict::Failed;
        }
        // The more images, the narrower the interval: double their number, then halve the step.
        let (mut few, mut needed) = (self.images, self.images.max(1));
        while !passes(needed) && needed <= usize::MAX / 2 {
            (few, needed) = (needed, 2 * needed);
        }
        while needed - few > 1 {
            let middle = usize::midpoint(few, needed);
            if passes(middle) {
                needed = middle;
            } else {
                few = middle;
            }
        }
        Verdict::NotEnoughPictures { needed }
    }

    /// The interval that the same shares would have on another number of images, in percentage points.
    fn interval_on(&self, images: f64) -> [f64; 2] {
        let more = images / self.images.max(1) as f64;
        let [b, c] = [self.lost, self.gained].map(|count| count as f64 * more);
        tango::interval(images, b, c).map(|end| 100.0 * end)
    }

    /// The probability of a difference at least this large if neither classifier were better: the exact two-sided
    /// McNemar test, a binomial with probability 1/2 over the disagreements.
    pub fn p_value(&self) -> f64 {
        let n = self.lost + self.gained;
        let half = self.lost.min(self.gained);
        let mut log_term = -(n as f64) * std::f64::consts::LN_2;
        let mut tail = 0.0;
        for k in 0..=half {
            tail += log_term.exp();
            log_term += ((n - k) as f64 / (k + 1) as f64).ln();
        }
        (2.0 * tail).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn hand_computed_values() {
        let d = Discordance { images: 1000, lost: 5, gained: 1 };
        close(d.drop_points(), 0.4);
        // 2 (C(6,0) + C(6,1)) / 2^6 = 14 / 64.
        close(d.p_value(), 14.0 / 64.0);
        // 2 (1 + 10 + 45) / 2^10.
        close(Discordance { images: 50, lost: 2, gained: 8 }.p_value(), 112.0 / 1024.0);
    }

    /// Wald's interval was 0 wide here, so that ten images that agree passed any limit.
    #[test]
    fn agreement_is_no_evidence() {
        let d = Discordance { images: 10, lost: 0, gained: 0 };
        assert_eq!((d.drop_points(), d.p_value()), (0.0, 1.0));
        let [low, high] = d.interval_points();
        // 1.96^2 / (10 + 1.96^2).
        assert!((27.7..27.8).contains(&high) && low == -high, "{low} {high}");
        assert_eq!(Discordance { images: 10, lost: 3, gained: 3 }.p_value(), 1.0);
    }

    /// `z^2 / (n + z^2)` is at most L from `n = z^2 (1 - L) / L` on: 1,917 for 0.2 points.
    #[test]
    fn too_few_images_that_agree_are_said_to_be_too_few() {
        let agreeing = |images| Discordance { images, lost: 0, gained: 0 }.verdict(0.2);
        assert_eq!(agreeing(10), Verdict::NotEnoughPictures { needed: 1917 });
        assert_eq!(agreeing(1916), Verdict::NotEnoughPictures { needed: 1917 });
        assert_eq!(agreeing(1917), Verdict::Passed);
    }

    #[test]
    fn the_upper_end_of_the_interval_decides() {
        let d = Discordance { images: 10_000, lost: 18, gained: 10 };
        let [_, high] = d.interval_points();
        assert!(d.drop_points() < high);
        assert_eq!(d.verdict(high), Verdict::Passed);
        let Verdict::NotEnoughPictures { needed } = d.verdict(high - 0.01) else { panic!("{high}") };
        // Half-width goes with the root: as many more as its square shrinks, within a tenth.
        let shrinks = (high - 0.08) / (high - 0.01 - 0.08);
        let expected = 10_000.0 * shrinks * shrinks;
        assert!((0.9..1.1).contains(&(needed as f64 / expected)), "{needed} is not about {expected}");
        assert_eq!(d.verdict(0.08), Verdict::Failed, "no number of images would do");
        assert_eq!(d.verdict(0.01), Verdict::Failed);
        // No sooner than with the last one.
        let shares =
            |images: usize| tango::interval(images as f64, 0.0018 * images as f64, 0.001 * images as f64)[1];
        let limit = (high - 0.01) / 100.0;
        assert!(shares(needed) <= limit && limit < shares(needed - 1));
    }

    #[test]
    fn many_disagreements_do_not_underflow() {
        let p = Discordance { images: 10_000, lost: 2600, gained: 2400 }.p_value();
        // Normal approximation with continuity correction: z = 199 / sqrt(5000) = 2.814, p = 0.0049.
        assert!((0.0045..0.0053).contains(&p), "{p}");
    }
}
