//! A convolution's parameters and its batch normalisation on the GPU.

use anyhow::Result;
use mobilenet::BATCH_NORM_EPSILON;

use super::gpu::{Gpu, Pointer, blocks, launch, sums};
use super::vectors::Vectors;
use crate::ops::batch_norm::{Normalisation, Statistics};

pub(super) const EPSILON: f32 = BATCH_NORM_EPSILON as f32;

/// Weights, gamma and beta of a convolution, and what its normalisation keeps between forward and backward.
#[derive(Clone, Copy, Debug)]
pub(super) struct Convolution {
    /// Channels out.
    pub(super) channels: usize,
    /// Where its weights begin among all values; gamma and beta follow them.
    pub(super) weights: usize,
    gamma: usize,
    beta: usize,
    /// Mean, inverse deviation, scale and shift of its channels.
    pub(super) norm: Pointer,
    /// What `norm_gradient` says to `norm_backward`.
    slopes: Pointer,
    /// Whether statistics stay as they are.
    frozen: bool,
}

/// The gradient of a normalisation's output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gradient {
    /// Where it lies.
    pub(super) at: Pointer,
    /// Rows of the normalisation for each of its own.
    pub(super) pixels: usize,
    /// Whether it is behind a ReLU6.
    pub(super) relu6: bool,
}

impl Convolution {
    /// Of so many weights, which begin at `offset`; moves that behind beta. With `fixed` statistics it is not trained.
    pub(super) fn new(
        gpu: &mut Gpu,
        values: &[f32],
        offset: &mut usize,
        (weights, channels): (usize, usize),
        fixed: Option<&Statistics>,
    ) -> Result<Self> {
        let (first, gamma) = (*offset, *offset + weights);
        let beta = gamma + channels;
        *offset = beta + channels;
        let norm = gpu.floats(4 * channels)?;
        if let Some(statistics) = fixed {
            let affine = &values[gamma..*offset];
            let (gamma, beta) = affine.split_at(channels);
            let Normalisation { statistics, inverse, scale, shift } =
                Normalisation::new(statistics.clone(), gamma, beta);
            gpu.upload(&[statistics.mean, inverse, scale, shift].concat(), norm)?;
        }
        let slopes = gpu.floats(3 * channels)?;
        let frozen = fixed.is_some();
        Ok(Self { channels, weights: first, gamma, beta, norm, slopes, frozen })
    }

    /// Gamma and beta, if their statistics are to be taken.
    pub(super) fn affine(&self, vectors: &Vectors) -> [Pointer; 2] {
        match self.frozen {
            true => [Pointer::NULL; 2],
            false => [self.gamma, self.beta].map(|offset| vectors.value(offset)),
        }
    }

    /// Where the gradients of gamma and beta go, and the slopes.
    pub(super) fn gradients(&self, vectors: &Vectors) -> [Pointer; 3] {
        [vectors.gradient(self.gamma), vectors.gradient(self.beta), self.slopes]
    }

    /// Takes the statistics of `x`, so many rows.
    pub(super) fn take(&self, gpu: &Gpu, vectors: &Vectors, x: Pointer, rows: usize) -> Result<()> {
        if self.frozen {
            return Ok(());
        }
        let [gamma, beta] = self.affine(vectors);
        let grid = sums(rows, self.channels);
        launch!(
            gpu,
            "moments",
            grid,
            x,
            rows,
            self.channels,
            EPSILON,
            gamma,
            beta,
            gpu.partials,
            gpu.counters,
            self.norm
        )
    }

    /// Normalises `x` to `y`, with ReLU6 or with a residual added.
    pub(super) fn apply(
        &self,
        gpu: &Gpu,
        x: Pointer,
        rows: usize,
        (relu6, residual): (bool, Option<Pointer>),
        y: Pointer,
    ) -> Result<()> {
        let eights = rows * self.channels / 8;
        let residual = residual.unwrap_or(Pointer::NULL);
        let grid = blocks(eights);
        launch!(gpu, "apply", grid, x, self.norm, residual, relu6, eights as u64, self.channels, y)
    }

    /// From the gradient of the output to those of gamma and beta, and to `dx`, that of `x`.
    pub(super) fn backward(
        &self,
        gpu: &Gpu,
        vectors: &Vectors,
        gradient: Gradient,
        x: Pointer,
        rows: usize,
        dx: Pointer,
    ) -> Result<()> {
        let Gradient { at, pixels, relu6 } = gradient;
        let [gamma, beta, slopes] = self.gradients(vectors);
        let grid = sums(rows, self.channels);
        launch!(
            gpu,
            "norm_gradient",
            grid,
            at,
            pixels,
            x,
            self.norm,
            relu6,
            rows,
            self.channels,
            gpu.partials,
            gpu.counters,
            gamma,
            beta,
            slopes,
        )?;
        self.complete(gpu, gradient, x, rows, dx)
    }

    /// The second half of [`Convolution::backward`], where the sums are known.
    pub(super) fn complete(
        &self,
        gpu: &Gpu,
        gradient: Gradient,
        x: Pointer,
        rows: usize,
        dx: Pointer,
    ) -> Result<()> {
        let Gradient { at, pixels, relu6 } = gradient;
        let eights = rows * self.channels / 8;
        let grid = blocks(eights);
        launch!(
            gpu,
            "norm_backward",
            grid,
            at,
            pixels,
            x,
            self.norm,
            self.slopes,
            relu6,
            eights as u64,
            self.channels,
            dx,
        )
    }
}
