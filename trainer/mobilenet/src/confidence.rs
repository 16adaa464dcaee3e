//! How sure a network is of pictures that no weight was fitted to: what a reject rule is made from.

use serde::{Deserialize, Serialize};

/// How probable a network held its answers to the validation pictures, right or wrong. Those that a rule may lie between are
/// kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// Number of pictures.
    pub pictures: usize,
    /// The lowest, in order.
    lowest: Vec<f32>,
}

impl Confidence {
    /// The largest share of pictures that a rule may reject.
    pub const MOST: f64 = 0.1;

    /// Of all pictures, in any order.
    pub fn new(mut values: Vec<f32>) -> Self {
        values.sort_by(f32::total_cmp);
        let pictures = values.len();
        values.truncate((pictures as f64 * Self::MOST) as usize + 1);
        Self { pictures, lowest: values }
    }

    /// The largest limit that at most this share of the pictures, up to [`Self::MOST`], lies below. [`None`] if there are so few
    /// that a single one is more.
    pub fn limit(&self, share: f64) -> Option<f32> {
        let below = (self.pictures as f64 * share) as usize;
        if below > 0 { self.lowest.get(below).copied() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_leaves_a_share_below_it() {
        let confidence = Confidence::new((0..1000).rev().map(|value| value as f32 / 1000.0).collect());
        assert_eq!(confidence.limit(0.005), Some(0.005));
        assert_eq!(confidence.limit(Confidence::MOST), Some(0.1));
        assert_eq!(confidence.limit(0.0009), None, "less than one picture");
        assert_eq!(Confidence::new(vec![0.3; 20]).limit(0.05), Some(0.3));
    }
}
