//! Two classifiers on the same images: McNemar's comparison of their disagreements.

/// How often just one of two classifiers is right, on the same images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discordance {
    /// All images.
    pub images: usize,
    /// Only the first is right.
    pub lost: usize,
    /// Only the second is right.
    pub gained: usize,
}

impl Discordance {
    /// The first's accuracy less the second's, in percentage points: `100 (b - c) / n`.
    pub fn drop_points(&self) -> f64 {
        100.0 * (self.lost as f64 - self.gained as f64) / self.images.max(1) as f64
    }

    /// Half the width of the 95 % confidence interval of the drop, in percentage points.
    ///
    /// Wald's interval for paired proportions: `1.96 sqrt(b + c - (b - c)^2 / n) / n` (Agresti, "Categorical Data
    /// Analysis", section 10.1).
    pub fn margin_points(&self) -> f64 {
        let n = self.images.max(1) as f64;
        let (b, c) = (self.lost as f64, self.gained as f64);
        100.0 * 1.96 * (b + c - (b - c).powi(2) / n).max(0.0).sqrt() / n
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
        // sqrt(6 - 16 / 1000) / 1000 = 0.002446221...
        close(d.margin_points(), 100.0 * 1.96 * 5.984f64.sqrt() / 1000.0);
        // 2 (C(6,0) + C(6,1)) / 2^6 = 14 / 64.
        close(d.p_value(), 14.0 / 64.0);
        // 2 (1 + 10 + 45) / 2^10.
        close(Discordance { images: 50, lost: 2, gained: 8 }.p_value(), 112.0 / 1024.0);
    }

    #[test]
    fn agreement_is_no_evidence() {
        let d = Discordance { images: 10, lost: 0, gained: 0 };
        assert_eq!((d.drop_points(), d.margin_points(), d.p_value()), (0.0, 0.0, 1.0));
        assert_eq!(Discordance { images: 10, lost: 3, gained: 3 }.p_value(), 1.0);
    }

    #[test]
    fn many_disagreements_do_not_underflow() {
        let p = Discordance { images: 10_000, lost: 2600, gained: 2400 }.p_value();
        // Normal approximation with continuity correction: z = 199 / sqrt(5000) = 2.814, p = 0.0049.
        assert!((0.0045..0.0053).contains(&p), "{p}");
    }
}
