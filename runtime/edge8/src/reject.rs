//! The reject rule that a model image carries: when an output is no answer.

use crate::bytes;
use crate::slices::not_unrolled;

/// Kind of rule: a least value.
const LEAST: u16 = 2;

/// Bytes of such a section.
const LEN: usize = 4;

/// When an output is no answer, because the input may be of none of the classes: if its largest value, the network's probability or
/// logit of the answer, is below a limit. The limit is fitted on inputs that neither trained nor tested the network.
///
/// In the image: `u16` kind 2, `i8` limit, `u8` 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject {
    least: i8,
}

impl Reject {
    /// The rule that an answer has this value or a larger one.
    pub const fn new(least: i8) -> Self {
        Self { least }
    }

    /// Reads a reject section; [`None`] if its kind or its length is not valid.
    pub fn parse(section: &[u8]) -> Option<Self> {
        let &[low, high, least, 0] = section else { return None };
        (bytes::u16(&[low, high], 0)? == LEAST).then_some(Self { least: least as i8 })
    }

    /// The bytes of the section.
    pub const fn encode(self) -> [u8; LEN] {
        let [low, high] = LEAST.to_le_bytes();
        [low, high, self.least as u8, 0]
    }

    /// The least value of an answer.
    pub const fn least(self) -> i8 {
        self.least
    }

    /// Whether an output is an answer.
    pub fn accepts(self, output: &[i8]) -> bool {
        output.iter().any(|&value| {
            not_unrolled();
            value >= self.least
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_and_damaged_ones_refused() {
        let section = Reject::new(-7).encode();
        assert_eq!(Reject::parse(&section), Some(Reject::new(-7)));
        assert!(Reject::parse(&section[..3]).is_none() && Reject::parse(&[2, 0, 230, 0, 0]).is_none());
        for place in [0, 1, 3] {
            let mut damaged = section;
            damaged[place] ^= 1;
            assert!(Reject::parse(&damaged).is_none(), "byte {place}");
        }
    }

    #[test]
    fn the_largest_value_decides() {
        assert!(Reject::new(5).accepts(&[-128, 5, 4]) && !Reject::new(6).accepts(&[-128, 5, 4]));
        assert!(Reject::new(i8::MIN).accepts(&[-128]) && !Reject::new(127).accepts(&[126]));
    }
}
