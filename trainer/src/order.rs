//! Classes that are numbers.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How classes follow one another, in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// One after the other.
    Line,
    /// And the first again after the last, as on a wheel.
    Cycle,
}

impl Order {
    /// How far two of so many classes are apart.
    pub fn distance(self, class: usize, other: usize, classes: usize) -> usize {
        let far = class.abs_diff(other);
        match self {
            Self::Line => far,
            Self::Cycle => far.min(classes.saturating_sub(far)),
        }
    }
}
