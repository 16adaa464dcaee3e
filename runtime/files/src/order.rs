//! Classes that are numbers.

use std::fmt;
use std::str::FromStr;

/// How classes follow one another, in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    /// Share of answers that are at most so many classes beside the right one, 0 to 1; `confusion[class][answer]` counts them.
    pub fn near(self, beside: usize, confusion: &[Vec<usize>]) -> f64 {
        let (mut near, mut all) = (0, 0);
        for (class, row) in confusion.iter().enumerate() {
            for (answer, &count) in row.iter().enumerate() {
                all += count;
                near += if self.distance(class, answer, confusion.len()) <= beside { count } else { 0 };
            }
        }
        near as f64 / all.max(1) as f64
    }
}

impl Order {
    /// [`near`](Self::near) for one and two classes, as lines for people.
    pub fn told(self, confusion: &[Vec<usize>]) -> String {
        let line = |beside| {
            format!("at most {beside} beside the right class: {:.2} %", 100.0 * self.near(beside, confusion))
        };
        [1, 2].map(line).join("\n")
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Line => "line",
            Self::Cycle => "cycle",
        })
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "line" => Ok(Self::Line),
            "cycle" => Ok(Self::Cycle),
            _ => Err("expected line, or cycle where the first class comes again after the last".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_beside_the_right_one_are_near() {
        // Of class 0 one answer is right, one is the last class, two are two further.
        let mut confusion = vec![vec![0; 5]; 5];
        (confusion[0][0], confusion[0][4], confusion[0][2]) = (1, 1, 2);
        assert_eq!([0, 1, 2].map(|beside| Order::Cycle.near(beside, &confusion)), [0.25, 0.5, 1.0]);
        assert_eq!(Order::Line.near(2, &confusion), 0.75);
    }

    #[test]
    fn names_are_read_back() {
        for order in [Order::Line, Order::Cycle] {
            assert_eq!(order.to_string().parse(), Ok(order));
        }
        assert!("wheel".parse::<Order>().is_err());
    }
}
