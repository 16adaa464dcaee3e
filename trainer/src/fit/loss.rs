//! The loss: cross-entropy with the classes as they are, or spread over others.

use anyhow::Result;
use candle_core::{D, Device, Tensor};
use files::Order;

/// Standard deviation of what an ordered class gives its neighbours, in classes.
const SPREAD: f32 = 0.7;

/// What each picture's class is worth, and how it is spread.
#[derive(Clone, Debug)]
pub(super) struct Targets {
    /// For each class the probabilities that its pictures are to have.
    rows: Vec<Vec<f32>>,
    /// What a picture of each class counts.
    weights: Vec<f32>,
}

impl Targets {
    /// `smoothing` is the share of each class that goes to all others alike; `counts` are the pictures of each class if each
    /// class is to count the same.
    pub(super) fn new(
        classes: usize,
        smoothing: f64,
        order: Option<Order>,
        counts: Option<&[usize]>,
    ) -> Self {
        let smoothing = smoothing as f32;
        let row = |class| {
            let near = neighbours(classes, class, order);
            near.into_iter().map(|near| near * (1.0 - smoothing) + smoothing / classes as f32).collect()
        };
        let weights = match counts {
            None => vec![1.0; classes],
            Some(counts) => {
                let mean = counts.iter().sum::<usize>() as f32 / classes as f32;
                counts.iter().map(|&count| mean / count.max(1) as f32).collect()
            }
        };
        Self { rows: (0..classes).map(row).collect(), weights }
    }

    /// Whether a class is itself and counts as much as any other: plain cross-entropy.
    fn are_plain(&self) -> bool {
        let plain = |(class, row): (usize, &Vec<f32>)| row[class] == 1.0;
        self.rows.iter().enumerate().all(plain) && self.weights.iter().all(|&weight| weight == 1.0)
    }

    /// The mean loss of a batch of logits `[images, classes]`.
    pub(super) fn loss(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
        if self.are_plain() {
            return Ok(candle_nn::loss::cross_entropy(logits, labels)?);
        }
        let classes: Vec<u32> = labels.to_vec1()?;
        let target = |&class: &u32| {
            let (row, weight) = (&self.rows[class as usize], self.weights[class as usize]);
            row.iter().map(move |share| share * weight)
        };
        let targets: Vec<f32> = classes.iter().flat_map(target).collect();
        let targets = Tensor::from_vec(targets, logits.shape(), &Device::Cpu)?;
        let all: f32 = classes.iter().map(|&class| self.weights[class as usize]).sum();
        let logarithms = candle_nn::ops::log_softmax(logits, D::Minus1)?;
        Ok((logarithms * targets)?.sum_all()?.affine(-1.0 / f64::from(all), 0.0)?)
    }
}

/// What a class and those beside it get.
fn neighbours(classes: usize, class: usize, order: Option<Order>) -> Vec<f32> {
    let share = |other: usize| match order {
        None => f32::from(u8::from(other == class)),
        Some(order) => (-0.5 * (order.distance(class, other, classes) as f32 / SPREAD).powi(2)).exp(),
    };
    let shares: Vec<f32> = (0..classes).map(share).collect();
    let sum: f32 = shares.iter().sum();
    shares.iter().map(|share| share / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(targets: &Targets) -> f32 {
        let logits = Tensor::new(&[[2f32, 0.0, -1.0], [0.5, 0.5, 0.0]], &Device::Cpu).unwrap();
        let labels = Tensor::new(&[0u32, 2], &Device::Cpu).unwrap();
        targets.loss(&logits, &labels).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn plain_smoothed_and_weighted_by_hand() {
        let entropy = |logits: [f32; 3]| {
            let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
            logits.map(|logit| sum.ln() - logit)
        };
        let [first, second] = [entropy([2.0, 0.0, -1.0]), entropy([0.5, 0.5, 0.0])];
        let plain = (first[0] + second[2]) / 2.0;
        assert!((loss(&Targets::new(3, 0.0, None, None)) - plain).abs() < 1e-6);
        let mean = (first.iter().sum::<f32>() + second.iter().sum::<f32>()) / 6.0;
        assert!((loss(&Targets::new(3, 0.1, None, None)) - (0.9 * plain + 0.1 * mean)).abs() < 1e-6);
        // Class 2 is three times as rare as class 0.
        let weighted = (first[0] + 3.0 * second[2]) / 4.0;
        assert!((loss(&Targets::new(3, 0.0, None, Some(&[30, 10, 10]))) - weighted).abs() < 1e-6);
    }

    #[test]
    fn neighbours_on_a_wheel_are_those_on_both_sides() {
        let wheel = neighbours(10, 0, Some(Order::Cycle));
        assert!((wheel.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(wheel[0] > wheel[1] && wheel[1] == wheel[9] && wheel[9] > wheel[2]);
        let line = neighbours(10, 0, Some(Order::Line));
        assert!(line[9] < 1e-6 && line[0] > wheel[0]);
    }
}
