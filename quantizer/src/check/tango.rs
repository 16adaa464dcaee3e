//! A score interval for the difference of two paired proportions.

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Halvings after which the two ends of a search are neighbours, or nearly.
const HALVINGS: usize = 60;

/// The 95 % confidence interval of the difference `(b - c) / n` of two proportions on the same `n` pairs, of which `b`
/// have only the first property and `c` only the second: within [-1, 1]. Shares of pairs are as good as counts.
///
/// Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
/// Statistics in Medicine 17 (1998), 891-908: all differences that a score test does not reject. Unlike Wald's interval it
/// has a width where all pairs agree.
pub(super) fn interval(n: f64, b: f64, c: f64) -> [f64; 2] {
    let estimate = (b - c) / n;
    [where_falls_to(Z, -1.0, estimate, (n, b, c)), where_falls_to(-Z, estimate, 1.0, (n, b, c))]
}

/// Where the score, which falls from `low` to `high`, has a value.
fn where_falls_to(value: f64, mut low: f64, mut high: f64, counts: (f64, f64, f64)) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if score(middle, counts) > value {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// How many standard deviations the observed difference lies above a supposed one, `d`.
///
/// The deviation has the most likely share `q` of the second kind under that supposition, the positive root of
/// `2n q^2 - (b + c - (2n - b + c) d) q - c d (1 - d) = 0`.
fn score(d: f64, (n, b, c): (f64, f64, f64)) -> f64 {
    let linear = (2.0 * n - b + c) * d - b - c;
    let constant = -c * d * (1.0 - d);
    let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
    let q = (root - linear) / (4.0 * n);
    (b - c - n * d) / (n * (2.0 * q + d * (1.0 - d))).max(f64::MIN_POSITIVE).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: [f64; 2], expected: [f64; 2], tolerance: f64) {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() <= tolerance, "{found:?} is not {expected:?}");
        }
    }

    /// Fagerland, Lydersen and Laake, "Statistical Analysis of Contingency Tables" (2017), chapter 8, and their package
    /// contingencytables: airway hyper-responsiveness (Bentur et al., 2009) and complete response (Cavo et al., 2012).
    #[test]
    fn published_intervals_come_out() {
        assert_close(interval(21.0, 1.0, 7.0), [-0.517, -0.026], 0.0005);
        assert_close(interval(161.0, 6.0, 16.0), [-0.1240, -0.0054], 0.00005);
    }

    /// With b = c = 0 the deviation is that of one proportion, and the interval ends at `z^2 / (n + z^2)`.
    #[test]
    fn agreement_has_a_width() {
        for n in [1.0, 10.0, 2000.0, 1e7] {
            let end = Z * Z / (n + Z * Z);
            assert_close(interval(n, 0.0, 0.0), [-end, end], 1e-12);
        }
    }

    #[test]
    fn both_ends_are_not_rejected_and_what_is_beyond_is() {
        for (n, b, c) in [(50.0, 2.0, 8.0), (1000.0, 5.0, 1.0), (10_000.0, 18.0, 10.0), (7.0, 7.0, 0.0)] {
            let [low, high] = interval(n, b, c);
            assert!(-1.0 <= low && low < (b - c) / n && (b - c) / n <= high && high <= 1.0);
            assert_close(interval(n, c, b), [-high, -low], 1e-12);
            assert!((score(low, (n, b, c)) - Z).abs() < 1e-6);
            assert!(high == 1.0 || (score(high, (n, b, c)) + Z).abs() < 1e-6);
        }
    }
}
