//! Answers that are no better than guessing.

/// Fewer pictures tell nothing.
const FEWEST: f64 = 20.0;

/// Whether so many right answers are no more than always answering the most frequent class gives, within two standard
/// deviations of guessing; `counts` are the pictures of each class. Of fewer than 20 pictures nothing is said: false.
pub fn at_chance(correct: usize, counts: &[usize]) -> bool {
    let images = counts.iter().sum::<usize>() as f64;
    let frequent = counts.iter().copied().max().unwrap_or(0) as f64;
    let deviation = (frequent * (1.0 - frequent / images.max(1.0))).sqrt();
    images >= FEWEST && correct as f64 <= frequent + 2.0 * deviation && (correct as f64) < images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_ten_classes_is_chance() {
        assert!(at_chance(100, &[100; 10]) && at_chance(110, &[100; 10]));
        assert!(!at_chance(130, &[100; 10]) && !at_chance(900, &[100; 10]));
        // Nine of ten are one class.
        assert!(at_chance(900, &[900, 100]) && !at_chance(930, &[900, 100]));
        assert!(!at_chance(0, &[0, 0]) && !at_chance(1, &[1, 0]) && !at_chance(2, &[1, 1, 1]));
    }
}
