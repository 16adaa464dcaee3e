//! The reject rule that a model image carries: when a reading is no answer.

use crate::bytes;

/// Kind of rule: a least probability, and of each class the most crossings.
const CROSSINGS: u16 = 1;

/// Bytes before the classes.
const HEAD: usize = 4;

/// When what the network says of a picture is to be taken for an answer, fitted on pictures that neither trained nor tested it.
///
/// In the image: `u16` kind 1, `u8` least probability in 1/256, `u8` 0, then for each class a `u8`, the most crossings: how often
/// the rows and the columns of the input go from values below 0 to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject<'a> {
    least: u8,
    most_crossings: &'a [u8],
}

impl<'a> Reject<'a> {
    /// Reads a reject section for so many classes; [`None`] if its kind or its length is not valid.
    pub fn parse(section: &'a [u8], classes: usize) -> Option<Self> {
        let (head, most_crossings) = section.split_first_chunk::<HEAD>()?;
        let known = bytes::u16(head, 0)? == CROSSINGS && head[3] == 0;
        (known && most_crossings.len() == classes).then_some(Self { least: head[2], most_crossings })
    }

    /// What a section has before the most crossings of each class.
    pub const fn head(least: u8) -> [u8; HEAD] {
        let [low, high] = CROSSINGS.to_le_bytes();
        [low, high, least, 0]
    }

    /// The least probability of an answer, in 1/256.
    pub const fn least(&self) -> u8 {
        self.least
    }

    /// The most crossings of an answer of each class.
    pub const fn most_crossings(&self) -> &'a [u8] {
        self.most_crossings
    }

    /// Whether a class, which the network gives this probability in 1/256, is an answer for this input of `side` rows and columns.
    pub fn accepts(&self, class: usize, probability: u8, input: &[i8], side: usize) -> bool {
        let most = self.most_crossings.get(class);
        probability >= self.least && most.is_some_and(|&most| crossings(input, side) <= most.into())
    }
}

/// How often the rows and the columns of an input of `side` rows and columns go from values below 0 to others: a digit is made
/// of few strokes.
pub fn crossings(input: &[i8], side: usize) -> u32 {
    let is_ink = |row: usize, column: usize| {
        input.get(row.wrapping_mul(side).wrapping_add(column)).is_some_and(|&value| value >= 0)
    };
    let mut count = 0u32;
    for line in 0..side {
        let [mut in_row, mut in_column] = [false; 2];
        for at in 0..side {
            let [row, column] = [is_ink(line, at), is_ink(at, line)];
            count =
                count.wrapping_add(u32::from(row && !in_row)).wrapping_add(u32::from(column && !in_column));
            [in_row, in_column] = [row, column];
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_and_damaged_ones_refused() {
        let [a, b, c, d] = Reject::head(230);
        let section = [a, b, c, d, 9, 4];
        let rule = Reject::parse(&section, 2).unwrap();
        assert_eq!((rule.least(), rule.most_crossings()), (230, &[9, 4][..]));
        assert!(Reject::parse(&section, 3).is_none() && Reject::parse(&section[..3], 0).is_none());
        for place in [0, 1, 3] {
            let mut damaged = section;
            damaged[place] ^= 2;
            assert!(Reject::parse(&damaged, 2).is_none(), "byte {place}");
        }
    }

    #[test]
    fn few_strokes_and_a_high_probability_are_an_answer() {
        // A ring: each of its rows and columns but those in the middle is crossed once.
        let ring: [i8; 25] = core::array::from_fn(|at| {
            let [y, x] = [at / 5, at % 5];
            if matches!((y, x), (1 | 3, 1..=3) | (2, 1 | 3)) { 100 } else { -100 }
        });
        assert_eq!(crossings(&ring, 5), 8);
        let [a, b, c, d] = Reject::head(200);
        let section = [a, b, c, d, 8, 7];
        let rule = Reject::parse(&section, 2).unwrap();
        assert!(rule.accepts(0, 200, &ring, 5));
        assert!(
            !rule.accepts(0, 199, &ring, 5)
                && !rule.accepts(1, 255, &ring, 5)
                && !rule.accepts(2, 255, &ring, 5)
        );
    }
}
