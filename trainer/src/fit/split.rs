//! Which pictures are trained on, and which every choice is made on.

use files::Dataset;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Validation pictures, if there are ten times as many pictures.
const VALIDATION: usize = 5000;

/// The two parts of the training set.
#[derive(Debug)]
pub(super) struct Split {
    /// Indices that weights are fitted to.
    pub(super) train: Vec<usize>,
    /// Indices that every choice is made on.
    pub(super) validation: Vec<usize>,
}

impl Split {
    /// Splits pictures with these labels, always in the same way: another seed must not see other validation pictures.
    /// Every class is trained on; one of two pictures or more is also among the validation pictures.
    pub(super) fn new(labels: &[u32]) -> Self {
        let mut train: Vec<usize> = (0..labels.len()).collect();
        train.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        let validation = train.split_off(labels.len() - VALIDATION.min(labels.len() / 10));
        let mut split = Self { train, validation };
        for class in 0..labels.iter().max().map_or(0, |last| last + 1) {
            split.share(|index| labels[index] == class);
        }
        split
    }

    /// Moves a picture of a class to the part that has none, if the other part can spare it.
    fn share(&mut self, of_class: impl Fn(usize) -> bool) {
        let Self { train, validation } = self;
        let count = |part: &[usize]| part.iter().filter(|&&index| of_class(index)).count();
        let (from, to) = match (count(train), count(validation)) {
            (0, _) => (validation, train),
            (2.., 0) => (train, validation),
            _ => return,
        };
        if let Some(place) = from.iter().rposition(|&index| of_class(index)) {
            to.push(from.remove(place));
        }
    }
}

/// Indices of the pictures that no weight is fitted to: for choices. Always the same for the same labels.
pub fn validation_split(data: &Dataset) -> Vec<usize> {
    Split::new(&data.labels).validation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(Split { train, validation }: &Split) -> Vec<usize> {
        let mut all = [train.as_slice(), validation].concat();
        all.sort_unstable();
        all
    }

    #[test]
    fn the_split_is_fixed_and_whole() {
        let labels: Vec<u32> = (0..60_000).map(|index| index % 10).collect();
        let split = Split::new(&labels);
        assert_eq!((split.train.len(), split.validation.len()), (55_000, 5000));
        assert!(whole(&split).into_iter().eq(0..60_000));
        // What the shipped networks were chosen on.
        assert_eq!(split.validation[..4], [8192, 48837, 35209, 42056]);
        assert_eq!(split.validation, Split::new(&labels).validation);
    }

    #[test]
    fn few_pictures_of_each_class_are_shared() {
        for count in [2, 3, 5, 9, 12, 30] {
            let labels: Vec<u32> = (0..count).map(|index| u32::from(index % 3 == 0)).collect();
            let split = Split::new(&labels);
            assert!(whole(&split).into_iter().eq(0..labels.len()));
            for class in [0, 1] {
                let of_class = |part: &[usize]| part.iter().any(|&index| labels[index] == class);
                assert!(of_class(&split.train), "class {class} of {count}");
                let several = labels.iter().filter(|&&label| label == class).count() > 1;
                assert!(of_class(&split.validation) == several || count >= 10, "class {class} of {count}");
            }
        }
        assert!(Split::new(&[0, 1, 2]).validation.is_empty());
        assert!(Split::new(&[]).train.is_empty());
    }

    #[test]
    fn the_only_picture_of_a_class_is_trained_on() {
        for only in 0..30 {
            let labels: Vec<u32> = (0..30).map(|index| u32::from(index == only)).collect();
            assert!(Split::new(&labels).train.contains(&(only as usize)), "{only}");
        }
    }
}
