//! Which pictures make a batch, and what is done to them: all drawn from (seed, epoch, picture), so that training can
//! stop and go on anywhere.

use anyhow::Result;
use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::recipe::Recipe;
use crate::augment::{Kind, augment};
use crate::evaluate::pictures;
use crate::input::real;
use files::Dataset;

/// Pictures in each batch that recalibrates batch normalisation.
const CALIBRATION_BATCH: usize = 500;
/// Batches that recalibrate batch normalisation.
const CALIBRATION_BATCHES: usize = 20;

/// One step's input.
#[derive(Debug)]
pub(super) struct Batch {
    /// `[images, rows, columns, channels]`.
    pub(super) pictures: Tensor,
    /// `[images]`, u32.
    pub(super) labels: Tensor,
    /// `[images, dropout width]`: 0, or for what is kept the inverse of its share.
    pub(super) dropout: Vec<f32>,
}

/// The training pictures as batches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batches<'a> {
    pub(super) data: &'a Dataset,
    pub(super) train: &'a [usize],
    pub(super) recipe: &'a Recipe,
}

/// What random numbers are for; each purpose has its own streams.
#[derive(Clone, Copy)]
enum Purpose {
    Order,
    Dropout,
    Augmentation,
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
        let indices = &order[step * size..][..size];
        let pass = epoch * self.recipe.passes + step / self.steps_of_pass();
        let (shape, preparation) = (self.data.shape(), &self.data.preparation);
        let kind = Kind { ordered: self.recipe.order.is_some(), recolour: self.recipe.recolour };
        let pictures = if self.recipe.augment {
            let length = shape.iter().product();
            let mut values = vec![0.0; size * length];
            (values.par_chunks_exact_mut(length)).zip(indices).for_each(|(target, &index)| {
                let rng = &mut self.rng(Purpose::Augmentation, pass, index);
                augment(preparation, kind, shape, rng, self.data.image(index), target);
                target.iter_mut().for_each(|value| *value = real(preparation, *value));
            });
            Tensor::from_vec(values, (size, shape[0], shape[1], shape[2]), &Device::Cpu)?
        } else {
            pictures(self.data, indices)?
        };
        let labels: Vec<u32> = indices.iter().map(|&index| self.data.labels[index]).collect();
        let labels = Tensor::from_vec(labels, size, &Device::Cpu)?;
        Ok(Batch { pictures, labels, dropout: self.dropout(indices, pass) })
    }

    fn dropout(&self, indices: &[usize], pass: usize) -> Vec<f32> {
        let width = self.recipe.architecture.dropout_width();
        let removed = self.recipe.dropout;
        let keep = (1.0 / (1.0 - removed)) as f32;
        let mut dropout = vec![0.0; indices.len() * width];
        dropout.par_chunks_exact_mut(width).zip(indices).for_each(|(dropout, &index)| {
            let mut rng = self.rng(Purpose::Dropout, pass, index);
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
