//! The learning rate over time: linear warm-up, then half a cosine down to nearly nothing.
//!
//! A run that goes on for more epochs after its end has from there the rates of a run of that many: they go up at once,
//! to where half a cosine over all epochs is, and down again to nearly nothing. From 20 epochs to 30: to a quarter of
//! the highest.

use super::recipe::Recipe;
use crate::optimizer::Rates;

/// Share of all steps that warm up, at most one epoch or so many.
const WARM_UP: f64 = 0.05;
const WARM_UP_STEPS: f64 = 200.0;
/// The last learning rate as part of the highest.
const FLOOR: f64 = 0.002;
/// Share of all steps over which weights are averaged, at least one epoch: the decay is set so that this is the mean age of a
/// weight.
const AVERAGED: f64 = 0.05;

/// Learning rate and averaging for every step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    highest: f64,
    decay: f32,
    warm_up: f64,
    total: f64,
    averaging: f32,
}

impl Schedule {
    /// For epochs of `steps` steps.
    pub(super) fn new(recipe: &Recipe, steps: usize) -> Self {
        let total = (recipe.epochs * steps) as f64;
        Self {
            highest: recipe.learning_rate,
            decay: recipe.weight_decay as f32,
            warm_up: (total * WARM_UP).min((steps as f64).max(WARM_UP_STEPS)).max(1.0),
            total,
            averaging: (1.0 - 1.0 / (AVERAGED * total).max(steps as f64).max(2.0)) as f32,
        }
    }

    /// For step `index`, from 0.
    pub(super) fn rates(&self, index: usize) -> Rates {
        let step = index as f64 + 1.0;
        let factor = if step <= self.warm_up {
            step / self.warm_up
        } else {
            let progress = (step - self.warm_up) / (self.total - self.warm_up);
            FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
        };
        Rates { learning: (self.highest * factor) as f32, decay: self.decay, averaging: self.averaging }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_then_down() {
        let schedule = Schedule { highest: 1.0, decay: 0.0, warm_up: 10.0, total: 100.0, averaging: 0.9 };
        let rates: Vec<f32> = (0..100).map(|step| schedule.rates(step).learning).collect();
        assert_eq!(rates[9], 1.0);
        assert!((rates[99] - FLOOR as f32).abs() < 1e-6);
        assert!(rates[..10].is_sorted() && rates[9..].iter().rev().is_sorted());
        assert!((rates[54] - 0.5).abs() < 0.02);
    }

    #[test]
    fn a_longer_run_is_at_a_quarter_where_a_shorter_one_ends() {
        let schedule = Schedule { highest: 1.0, decay: 0.0, warm_up: 1.0, total: 30_000.0, averaging: 0.9 };
        assert!((schedule.rates(20_000).learning - 0.25).abs() < 0.002);
    }
}
