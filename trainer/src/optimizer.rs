//! AdamW with averaged weights (Kingma and Ba, 2015; Loshchilov and Hutter, 2019; Polyak and Juditsky, 1992).
//!
//! The state is plain vectors, so that a checkpoint can hold it: candle's own AdamW keeps its moments to itself.

use rayon::prelude::*;

/// Decay of the gradient's mean.
pub(crate) const BETA1: f32 = 0.9;
/// Decay of the gradient's second moment.
pub(crate) const BETA2: f32 = 0.999;
/// Added to the root of the second moment.
pub(crate) const EPSILON: f32 = 1e-8;
/// Values that one task updates.
const TASK: usize = 16 << 10;

/// The optimizer's state: weights, moments and averaged weights, all of one length.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AdamW {
    /// Steps taken.
    pub(crate) steps: u64,
    /// The weights.
    pub(crate) values: Vec<f32>,
    /// Running mean of the gradient.
    pub(crate) first: Vec<f32>,
    /// Running mean of its square.
    pub(crate) second: Vec<f32>,
    /// Running mean of the weights.
    pub(crate) averaged: Vec<f32>,
}

/// What changes from step to step, or stays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    /// Learning rate.
    pub(crate) learning: f32,
    /// Decoupled weight decay, multiplied by the learning rate.
    pub(crate) decay: f32,
    /// How much of the averaged weights stays with each step, once there are enough steps.
    pub(crate) averaging: f32,
}

impl AdamW {
    /// The state before the first step.
    pub(crate) fn new(values: Vec<f32>) -> Self {
        let zeros = vec![0.0; values.len()];
        Self { steps: 0, averaged: values.clone(), first: zeros.clone(), second: zeros, values }
    }

    /// One step. `decays` says of each value whether it decays.
    pub(crate) fn step(&mut self, gradients: &[f32], decays: &[bool], rates: Rates) {
        self.steps += 1;
        let steps = self.steps as f64;
        // The averages start at zero; this undoes the bias of the first steps.
        let correct1 = (1.0 - f64::from(BETA1).powf(steps)) as f32;
        let correct2 = (1.0 - f64::from(BETA2).powf(steps)) as f32;
        // Early weights are forgotten sooner.
        let averaging = rates.averaging.min(((1.0 + steps) / (10.0 + steps)) as f32);
        let moments = self.first.par_chunks_mut(TASK).zip(self.second.par_chunks_mut(TASK));
        let weights = self.values.par_chunks_mut(TASK).zip(self.averaged.par_chunks_mut(TASK));
        let inputs = gradients.par_chunks(TASK).zip(decays.par_chunks(TASK));
        moments.zip(weights).zip(inputs).for_each(
            |(((first, second), (values, averaged)), (gradients, decays))| {
                let state = first.iter_mut().zip(second).zip(values.iter_mut().zip(averaged));
                for (((first, second), (value, averaged)), (&gradient, &decays)) in
                    state.zip(gradients.iter().zip(decays))
                {
                    *first = BETA1 * *first + (1.0 - BETA1) * gradient;
                    *second = BETA2 * *second + (1.0 - BETA2) * gradient * gradient;
                    let direction = *first / (correct1 * ((*second / correct2).sqrt() + EPSILON));
                    let decay = if decays { rates.decay * *value } else { 0.0 };
                    *value -= rates.learning * (direction + decay);
                    *averaged = averaging * *averaged + (1.0 - averaging) * *value;
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_by_hand() {
        let mut state = AdamW::new(vec![1.0, -2.0]);
        let rates = Rates { learning: 0.1, decay: 0.5, averaging: 0.9 };
        state.step(&[3.0, -0.5], &[true, false], rates);
        // The first step goes by the learning rate against the gradient's sign, plus the decay.
        assert!((state.values[0] - (1.0 - 0.1 - 0.05)).abs() < 1e-6, "{:?}", state.values);
        assert!((state.values[1] - (-2.0 + 0.1)).abs() < 1e-6, "{:?}", state.values);
        let before = state.values.clone();
        state.step(&[0.0, 0.0], &[true, false], rates);
        let direction = (0.9 * 0.1 * 3.0 / 0.19) / (0.999f32 * 0.001 * 9.0 / 0.001999).sqrt();
        assert!((state.values[0] - (before[0] - 0.1 * (direction + 0.5 * before[0]))).abs() < 1e-5);
    }

    #[test]
    fn it_finds_the_minimum_of_a_parabola() {
        let mut state = AdamW::new(vec![5.0]);
        for step in 0..2000 {
            let gradient = [2.0 * (state.values[0] - 3.0)];
            let learning = 0.05 * (1.0 - step as f32 / 2000.0);
            state.step(&gradient, &[false], Rates { learning, decay: 0.0, averaging: 0.99 });
        }
        assert!((state.values[0] - 3.0).abs() < 1e-3 && (state.averaged[0] - 3.0).abs() < 1e-2);
    }
}
