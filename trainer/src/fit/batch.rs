//! Which pictures make a batch, and what is done to them: all drawn from (seed, epoch, picture), so that training can
//! stop and go on anywhere.

use anyhow::Result;
use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::recipe::Recipe;
use crate::augment::{Kind, augment, outlier};
use crate::evaluate::pictures;
use crate::input::real;
use crate::network::Network;
use files::Dataset;

/// Pictures in each batch that recalibrates batch normalisation.
const CALIBRATION_BATCH: usize = 500;
/// Batches that recalibrate batch normalisation.
const CALIBRATION_BATCHES: usize = 20;

/// Pictures to look at for one of another class, which there may not be.
const SEARCH: usize = 100;

/// One step's input.
#[derive(Debug)]
pub(super) struct Batch {
    /// `[images, rows, columns, channels]`.
    pub(super) pictures: Tensor,
    /// Of each picture; of an outlier the number of classes.
    pub(super) classes: Vec<u32>,
    /// What the teacher says, if there is one: logits `[images, classes]`.
    pub(super) taught: Option<Tensor>,
    /// `[images, dropout width]`: 0, or for what is kept the inverse of its share.
    pub(super) dropout: Vec<f32>,
}

/// The training pictures as batches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batches<'a> {
    pub(super) data: &'a Dataset,
    pub(super) train: &'a [usize],
    pub(super) recipe: &'a Recipe,
    pub(super) teacher: Option<&'a Network>,
}

/// What random numbers are for; each purpose has its own streams.
#[derive(Clone, Copy)]
enum Purpose {
    Order,
    Dropout,
    Augmentation,
    Outlier,
}

impl Batches<'_> {
    /// Steps of an epoch.
    pub(super) fn steps(&self) -> usize {
        self.steps_of_pass() * self.recipe.passes
    }

    /// Steps of a pass; what does not fill a batch waits for another pass' order.
    fn steps_of_pass(&self) -> usize {
        self.train.len() / self.recipe.batch_size
    }

    /// The training pictures of each class.
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.data.classes.len()];
        self.train.iter().for_each(|&index| counts[self.data.labels[index] as usize] += 1);
        counts
    }

    /// The pictures in the order of `epoch`, pass by pass.
    pub(super) fn order(&self, epoch: usize) -> Vec<usize> {
        let passes = self.recipe.passes;
        let order = |pass| {
            let mut order = self.train.to_vec();
            order.shuffle(&mut self.rng(Purpose::Order, epoch * passes + pass, 0));
            order.truncate(self.steps_of_pass() * self.recipe.batch_size);
            order
        };
        (0..passes).flat_map(order).collect()
    }

    /// The batch for one step.
    pub(super) fn get(&self, order: &[usize], epoch: usize, step: usize) -> Result<Batch> {
        let size = self.recipe.batch_size;
        let known = &order[step * size..][..size];
        let pass = epoch * self.recipe.passes + step / self.steps_of_pass();
        let outliers = self.recipe.outliers();
        let first = self.data.len() + step * outliers;
        let places: Vec<usize> = known.iter().copied().chain(first..first + outliers).collect();
        let [rows, columns, channels] = self.data.shape();
        let length = rows * columns * channels;
        let mut values = vec![0.0; places.len() * length];
        (values.par_chunks_exact_mut(length)).zip(&places).for_each(|(target, &place)| {
            let preparation = &self.data.preparation;
            self.show(place, pass, target);
            target.iter_mut().for_each(|value| *value = real(preparation, *value));
        });
        let pictures = Tensor::from_vec(values, (places.len(), rows, columns, channels), &Device::Cpu)?;
        let none = self.data.classes.len() as u32;
        let class = |&place: &usize| self.data.labels.get(place).copied().unwrap_or(none);
        Ok(Batch {
            classes: places.iter().map(class).collect(),
            dropout: self.dropout(&places, pass),
            taught: self.teacher.map(|teacher| teacher.logits(&pictures)).transpose()?,
            pictures,
        })
    }

    /// A picture as it is shown in a pass, from 0 to 255; a place behind all pictures is that of an outlier.
    fn show(&self, place: usize, pass: usize, target: &mut [f32]) {
        let (recipe, preparation) = (self.recipe, self.data.preparation);
        let made;
        let source = if place < self.data.len() {
            self.data.image(place)
        } else {
            let mut rng = self.rng(Purpose::Outlier, pass, place);
            let two = self.two(&mut rng).map(|index| self.data.image(index));
            made = outlier(preparation, &mut rng, two);
            &made
        };
        if recipe.augment {
            let kind = Kind { ordered: recipe.order.is_some(), recolour: recipe.recolour };
            let rng = &mut self.rng(Purpose::Augmentation, pass, place);
            augment(preparation, kind, self.data.shape(), rng, source, target);
        } else {
            target.iter_mut().zip(source).for_each(|(value, &byte)| *value = byte.into());
        }
    }

    /// Two training pictures of different classes.
    fn two(&self, rng: &mut ChaCha8Rng) -> [usize; 2] {
        let mut any = || self.train[rng.random_range(0..self.train.len())];
        let first = any();
        let others = |other: &usize| self.data.labels[*other] != self.data.labels[first];
        let second = std::iter::repeat_with(&mut any).take(SEARCH).find(others);
        [first, second.unwrap_or(first)]
    }

    fn dropout(&self, places: &[usize], pass: usize) -> Vec<f32> {
        let width = self.recipe.architecture.dropout_width();
        let removed = self.recipe.dropout;
        let keep = (1.0 / (1.0 - removed)) as f32;
        let mut dropout = vec![0.0; places.len() * width];
        dropout.par_chunks_exact_mut(width).zip(places).for_each(|(dropout, &place)| {
            let mut rng = self.rng(Purpose::Dropout, pass, place);
            dropout.iter_mut().filter(|_| !rng.random_bool(removed)).for_each(|value| *value = keep);
        });
        dropout
    }

    /// Unchanged training pictures in whole batches, for the statistics of batch normalisation.
    pub(super) fn calibration(&self) -> impl Iterator<Item = Result<Tensor>> {
        let size = CALIBRATION_BATCH.min(self.train.len());
        self.train.chunks_exact(size).take(CALIBRATION_BATCHES).map(|indices| pictures(self.data, indices))
    }

    fn rng(&self, purpose: Purpose, epoch: usize, index: usize) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.recipe.seed);
        rng.set_stream((purpose as u64 + 1) << 60 | (epoch as u64) << 36 | index as u64);
        rng
    }
}
