//! The loss: cross-entropy with the classes as they are, or spread over others, and with what a teacher says.

use anyhow::Result;
use candle_core::{D, Device, Tensor};
use candle_nn::ops::{log_softmax, softmax};
use files::Order;

use super::teacher::Teacher;

/// Standard deviation of what an ordered class gives its neighbours, in classes.
const SPREAD: f32 = 0.7;

/// What each picture's class is worth, and how it is spread.
#[derive(Clone, Debug)]
pub(super) struct Targets {
    /// For each class the probabilities that its pictures are to have; behind them those of an outlier, which is of no class.
    rows: Vec<Vec<f32>>,
    /// What a picture of each class counts, and an outlier.
    weights: Vec<f32>,
    /// Temperature of the teacher's answers and what they count, if there is a teacher.
    taught: Option<(f64, f64)>,
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
        let outlier = vec![1.0 / classes as f32; classes];
        Self {
            rows: (0..classes).map(row).chain([outlier]).collect(),
            weights: weights.into_iter().chain([1.0]).collect(),
            taught: None,
        }
    }

    /// The same with a teacher.
    pub(super) fn with_teacher(self, teacher: Option<&Teacher>) -> Self {
        Self { taught: teacher.map(|teacher| (teacher.temperature, teacher.weight)), ..self }
    }

    /// The teacher's temperature, if there is one.
    #[cfg(feature = "cuda")]
    pub(super) fn temperature(&self) -> Option<f32> {
        self.taught.map(|(temperature, _)| temperature as f32)
    }

    /// What [`Targets::loss`] makes of a batch but the logits: with the first `[images, classes]` T and the second S, which
    /// is empty without a teacher, the loss is -sum(T log softmax(logits)) - sum(S log softmax(logits / temperature)).
    #[cfg(feature = "cuda")]
    pub(super) fn weighted(&self, classes: &[u32], teacher: Option<&Tensor>) -> Result<[Vec<f32>; 2]> {
        let weights = classes.iter().map(|&class| self.weights[class as usize]);
        let all = weights.clone().sum::<f32>();
        let taught = teacher.zip(self.taught);
        let hard = taught.map_or(1.0, |(_, (_, weight))| 1.0 - weight) as f32;
        let rows = classes.iter().map(|&class| &self.rows[class as usize]);
        let targets = (weights.clone().zip(rows))
            .flat_map(|(weight, row)| row.iter().map(move |target| target * (hard * weight / all)))
            .collect();
        let Some((teacher, (temperature, weight))) = taught else { return Ok([targets, Vec::new()]) };
        let answers: Vec<Vec<f32>> =
            softmax(&teacher.affine(1.0 / temperature, 0.0)?, D::Minus1)?.to_vec2()?;
        let share = (weight * temperature * temperature) as f32;
        let soft = (weights.zip(answers))
            .flat_map(|(weight, row)| row.into_iter().map(move |answer| answer * (share * weight / all)))
            .collect();
        Ok([targets, soft])
    }

    /// The mean loss of a batch of logits `[images, classes]`; `teacher` is what the teacher says, of the same shape. The class
    /// of an outlier is the number of classes.
    pub(super) fn loss(&self, logits: &Tensor, classes: &[u32], teacher: Option<&Tensor>) -> Result<Tensor> {
        let weights: Vec<f32> = classes.iter().map(|&class| self.weights[class as usize]).collect();
        let rows = classes.iter().flat_map(|&class| &self.rows[class as usize]);
        let targets = Tensor::from_iter(rows.copied(), &Device::Cpu)?.reshape(logits.shape())?;
        let hard = cross_entropy(logits, &targets)?;
        let each = match (teacher, self.taught) {
            (Some(teacher), Some((temperature, weight))) => {
                let [teacher, logits] = [teacher, logits].map(|logits| logits.affine(1.0 / temperature, 0.0));
                let soft = cross_entropy(&logits?, &softmax(&teacher?, D::Minus1)?)?;
                // The gradient of softened probabilities is smaller by the square.
                (hard.affine(1.0 - weight, 0.0)? + soft.affine(weight * temperature * temperature, 0.0)?)?
            }
            _ => hard,
        };
        let all = f64::from(weights.iter().sum::<f32>());
        let weights = Tensor::from_vec(weights, classes.len(), &Device::Cpu)?;
        Ok((each * weights)?.sum_all()?.affine(1.0 / all, 0.0)?)
    }
}

/// Of each picture `[images]`.
fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    Ok((log_softmax(logits, D::Minus1)? * targets)?.sum(D::Minus1)?.neg()?)
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
        targets.loss(&logits, &[0, 2], None).unwrap().to_scalar().unwrap()
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
    fn an_outlier_is_to_be_any_class_alike() {
        let targets = Targets::new(2, 0.0, None, None);
        let loss = |logits: [f32; 2]| {
            let logits = Tensor::new(&[logits], &Device::Cpu).unwrap();
            targets.loss(&logits, &[2], None).unwrap().to_scalar::<f32>().unwrap()
        };
        assert!((loss([1.5, 1.5]) - 2f32.ln()).abs() < 1e-6 && loss([1.0, 2.0]) > 0.8);
    }

    #[test]
    fn a_teacher_counts_as_said() {
        let teacher = Teacher { file: String::new(), sha256: String::new(), temperature: 2.0, weight: 0.75 };
        let targets = Targets::new(2, 0.0, None, None).with_teacher(Some(&teacher));
        let [own, taught] =
            [[0f32, 0.0], [2.0 * 3f32.ln(), 0.0]].map(|row| Tensor::new(&[row], &Device::Cpu));
        let loss = targets.loss(&own.unwrap(), &[1], Some(&taught.unwrap())).unwrap();
        // It says three quarters for the first class; the student is undecided, which costs ln 2 of either.
        let expected = (0.25 + 0.75 * 4.0) * 2f32.ln();
        assert!((loss.to_scalar::<f32>().unwrap() - expected).abs() < 1e-5);
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
