//! Accuracy and confusion matrix of a network on labelled pictures.

use anyhow::Result;
use candle_core::{Device, Tensor};

use crate::input::real;
use crate::network::Network;
use files::Dataset;

/// Pictures evaluated at a time.
const BATCH: usize = 250;

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Number of pictures.
    pub images: usize,
    /// How many were right.
    pub correct: usize,
    /// Mean cross-entropy, in nats.
    pub loss: f64,
    /// `confusion[class][answer]`: how often a picture of `class` was given `answer`.
    pub confusion: Vec<Vec<usize>>,
    /// The wrong answers, in the order of the pictures.
    pub mistakes: Vec<Mistake>,
    /// How probable the network held its answer, of every picture.
    pub confidence: Vec<f32>,
}

/// A wrong answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mistake {
    /// The picture's place in its data set.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// The network's answer.
    pub answer: usize,
    /// How probable the network held its answer, 0 to 1.
    pub probability: f64,
}

impl Evaluation {
    /// The wrong answers that were held most probable, at most so many.
    pub fn worst(&self, most: usize) -> Vec<&Mistake> {
        let mut worst: Vec<&Mistake> = self.mistakes.iter().collect();
        worst.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        worst.truncate(most);
        worst
    }

    /// Whether the answers are no better than guessing, see [`files::at_chance`].
    pub fn at_chance(&self) -> bool {
        let counts: Vec<usize> = self.confusion.iter().map(|row| row.iter().sum()).collect();
        files::at_chance(self.correct, &counts)
    }

    /// Share of right answers, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images.max(1) as f64
    }
}

/// Pictures by index as the network takes them: `[indices, rows, columns, channels]`.
pub(crate) fn pictures(data: &Dataset, indices: &[usize]) -> Result<Tensor> {
    let [rows, columns, channels] = data.shape();
    let mut values = Vec::with_capacity(indices.len() * rows * columns * channels);
    for &index in indices {
        values.extend(data.image(index).iter().map(|&byte| real(&data.preparation, byte.into())));
    }
    Ok(Tensor::from_vec(values, (indices.len(), rows, columns, channels), &Device::Cpu)?)
}

/// Evaluates `network` on the pictures of `data` with the given indices.
///
/// # Errors
/// If the pictures do not have the network's input size.
pub fn evaluate(network: &Network, data: &Dataset, indices: &[usize]) -> Result<Evaluation> {
    let classes = network.architecture().classes.len();
    let mut evaluation = Evaluation {
        images: indices.len(),
        correct: 0,
        loss: 0.0,
        confusion: vec![vec![0; classes]; classes],
        mistakes: Vec::new(),
        confidence: Vec::with_capacity(indices.len()),
    };
    for batch in indices.chunks(BATCH) {
        let logits = network.logits(&pictures(data, batch)?)?.to_vec2::<f32>()?;
        for (&index, logits) in batch.iter().zip(&logits) {
            let label = data.labels[index] as usize;
            let answer = argmax(logits);
            let probability = (-cross_entropy(logits, answer)).exp();
            evaluation.correct += usize::from(answer == label);
            evaluation.loss += cross_entropy(logits, label) / indices.len() as f64;
            evaluation.confusion[label][answer] += 1;
            evaluation.confidence.push(probability as f32);
            if answer != label {
                evaluation.mistakes.push(Mistake { index, label, answer, probability });
            }
        }
    }
    Ok(evaluation)
}

/// The first of the largest values.
fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = index;
        }
    }
    best
}

fn cross_entropy(logits: &[f32], label: usize) -> f64 {
    let largest = f64::from(logits[argmax(logits)]);
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum();
    largest + sum.ln() - f64::from(logits[label])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_by_hand() {
        assert!((cross_entropy(&[0.0, 0.0], 1) - 2f64.ln()).abs() < 1e-12);
        assert!(cross_entropy(&[1000.0, 0.0], 0).abs() < 1e-12);
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), 1);
    }
}
