//! Which pictures are trained on, and which every choice is made on.

use files::Dataset;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Validation pictures, if there are ten times as many pictures.
const VALIDATION: usize = 5000;

/// Fewer pictures are split class by class: of many, chance gives each class its share.
const STRATIFIED: usize = 50_000;

/// The two parts of the training set.
#[derive(Debug)]
pub(super) struct Split {
    /// Indices that weights are fitted to.
    pub(super) train: Vec<usize>,
    /// Indices that every choice is made on.
    pub(super) validation: Vec<usize>,
}

impl Split {
    /// Splits pictures, always in the same way: another seed must not see other validation pictures. With `groups` none is
    /// in both parts.
    pub(super) fn of(data: &Dataset, groups: bool) -> Self {
        let Dataset { labels, groups: numbers, .. } = data;
        match labels.len() {
            _ if groups => Self::by_groups(labels, numbers),
            0..STRATIFIED => Self::by_class(labels),
            _ => Self::random(labels),
        }
    }

    /// Of every class the same share; of one of two pictures or more, one at least.
    fn by_class(labels: &[u32]) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let mut split = Self { train: Vec::new(), validation: Vec::new() };
        for class in 0..labels.iter().max().map_or(0, |last| last + 1) {
            let mut of_class: Vec<usize> =
                (0..labels.len()).filter(|&index| labels[index] == class).collect();
            of_class.shuffle(&mut random);
            let count = of_class.len();
            let validation = ((count + 5) / 10).max(usize::from(count > 1));
            split.validation.extend(of_class.split_off(count - validation));
            split.train.extend(of_class);
        }
        split
    }

    /// Groups at random, until a tenth of the pictures is reached, and no group that goes beyond a fifth; where all do, the
    /// smallest one. A class that is in these groups only cannot be learnt: they are left to the training.
    fn by_groups(labels: &[u32], groups: &[u32]) -> Self {
        let mut members = vec![Vec::new(); groups.iter().max().map_or(0, |&last| last as usize + 1)];
        groups.iter().enumerate().for_each(|(index, &group)| members[group as usize].push(index));
        members.retain(|members| !members.is_empty());
        members.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        let mut left = vec![0usize; labels.iter().max().map_or(0, |&last| last as usize + 1)];
        labels.iter().for_each(|&label| left[label as usize] += 1);
        let counts = |members: &[usize]| {
            let mut counts = std::collections::BTreeMap::<usize, usize>::new();
            members.iter().for_each(|&index| *counts.entry(labels[index] as usize).or_default() += 1);
            counts
        };
        let spared = |left: &[usize], members: &[usize]| {
            counts(members).iter().all(|(&class, &count)| left[class] > count)
        };
        let smallest =
            members.iter().filter(|members| spared(&left, members)).map(Vec::len).min().unwrap_or(0);
        let wanted = (labels.len() / 10).clamp(1, VALIDATION);
        let most = (2 * wanted).max(smallest.min(labels.len() / 2));
        let mut split = Self { train: Vec::new(), validation: Vec::new() };
        for members in members {
            let taken = split.validation.len();
            if taken < wanted && taken + members.len() <= most && spared(&left, &members) {
                counts(&members).iter().for_each(|(&class, &count)| left[class] -= count);
                split.validation.extend(members);
            } else {
                split.train.extend(members);
            }
        }
        split.train.sort_unstable();
        split.validation.sort_unstable();
        split
    }

    /// A tenth at random. Every class is trained on; one of two pictures or more is also among the validation pictures.
    fn random(labels: &[u32]) -> Self {
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

/// Indices of the pictures that no weight is fitted to: for choices. Always the same for the same labels and groups.
pub fn validation_split(data: &Dataset, groups: bool) -> Vec<usize> {
    Split::of(data, groups).validation
}

/// The pictures of each class that weights are fitted to.
pub fn training_counts(data: &Dataset, groups: bool) -> Vec<usize> {
    let mut counts = vec![0; data.classes.len()];
    Split::of(data, groups).train.iter().for_each(|&index| counts[data.labels[index] as usize] += 1);
    counts
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
        let split = Split::random(&labels);
        assert_eq!((split.train.len(), split.validation.len()), (55_000, 5000));
        assert!(whole(&split).into_iter().eq(0..60_000));
        // What the shipped networks were chosen on.
        assert_eq!(split.validation[..4], [8192, 48837, 35209, 42056]);
        assert_eq!(split.validation, Split::random(&labels).validation);
    }

    #[test]
    fn every_class_gives_its_share() {
        for count in [1, 2, 3, 5, 9, 12, 30, 80, 200] {
            let labels: Vec<u32> = (0..3 * count).map(|index| (index % 3) as u32).collect();
            let split = Split::by_class(&labels);
            assert!(whole(&split).into_iter().eq(0..labels.len()));
            for class in 0..3 {
                let given = split.validation.iter().filter(|&&index| labels[index] == class).count();
                let expected = ((count as f64 / 10.0).round() as usize).max(usize::from(count > 1));
                assert_eq!(given, expected, "of {count}");
            }
        }
        assert!(Split::by_class(&[0, 1, 2]).validation.is_empty());
        assert!(Split::by_class(&[]).train.is_empty());
    }

    #[test]
    fn groups_stay_together_and_every_class_is_trained_on() {
        let labels: Vec<u32> = (0..2000).map(|index| if index < 30 { 7 } else { index % 7 }).collect();
        // Class 7 is in the first group only.
        let groups: Vec<u32> = (0..2000).map(|index| index / 40).collect();
        let split = Split::by_groups(&labels, &groups);
        assert!(whole(&split).into_iter().eq(0..labels.len()));
        let of = |part: &[usize]| {
            part.iter().map(|&index| groups[index]).collect::<std::collections::HashSet<_>>()
        };
        assert!(of(&split.train).is_disjoint(&of(&split.validation)));
        assert!((200..=240).contains(&split.validation.len()) && split.train.contains(&0));
        // One group is all there is: nothing to validate with.
        assert!(Split::by_groups(&labels, &[0; 2000]).validation.is_empty());
    }
}
