//! A 1x1 convolution to many channels with batch normalisation and ReLU6, whose output is never kept.
//!
//! The expanded tensor is six times as large as its input, and reading it back costs more than computing it again. So
//! everything batch normalisation needs is taken from the small input X (`rows` x `k`) and the weights W (`k` x `n`):
//!
//! * With C the covariance of X, the variance of (XW) per channel is the diagonal of W^T C W, its mean is mean(X) W.
//! * Backward, let G be the gradient before ReLU6, s and p its sums with 1 and with the centred XW. Then
//!   p = diag(W^T Xc^T G), so one product Xc^T G gives p and most of the weights' gradient:
//!   dW = scale * (Xc^T G - C W * inverse^2 * p), and
//!   dX = G (scale W)^T - Xc Q - r with Q = W diag(scale inverse^2 p / rows) W^T, r = W (scale s / rows).
//!
//! G (scale W)^T is added up block by block while G is in the cache; Q is a small `k` x `k` matrix.

use rayon::prelude::*;

use super::batch_norm::{Normalisation, Statistics};
use super::gemm::{Output, accumulate, multiply, transpose};
use super::{CHUNKS, channel, pool};

/// Sizes of an expansion's matrices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Columns of X in use.
    pub(crate) k: usize,
    /// Values from one row of X to the next, a multiple of eight; the columns from `k` on are zero.
    pub(crate) stride: usize,
    /// Columns of W.
    pub(crate) n: usize,
}

/// Weights and batch normalisation of an expansion, ready to use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expansion {
    /// The batch normalisation.
    pub(crate) norm: Normalisation,
    /// W with the scale folded in, `[k, n]`.
    pub(crate) folded: Vec<f32>,
    /// Mean of X, `[stride]`.
    mean: Vec<f32>,
    /// C W, `[k, n]`.
    spread: Vec<f32>,
}

/// What the weights' part of the backward pass gives.
#[derive(Debug)]
pub(crate) struct ExpansionGradient {
    /// Of W, `[k, n]`.
    pub(crate) weights: Vec<f32>,
    /// Of gamma, `[n]`.
    pub(crate) gamma: Vec<f32>,
    /// Of beta, `[n]`.
    pub(crate) beta: Vec<f32>,
    /// -Q, `[k, k]`.
    correction: Vec<f32>,
    /// mean(X) Q - r, `[k]`.
    constant: Vec<f32>,
}

impl Expansion {
    /// With the statistics of this batch.
    pub(crate) fn of_batch(sizes: Sizes, x: &[f32], weights: &[f32], gamma: &[f32], beta: &[f32]) -> Self {
        let Sizes { k, stride, n } = sizes;
        let (mean, covariance) = covariance(stride, x);
        let mut spread = vec![0.0; k * n];
        multiply(k, k, n, &covariance, stride, weights, &mut spread, Output::Rows);
        let mut statistics = Statistics { mean: vec![0.0; n], variance: vec![0.0; n] };
        multiply(1, k, n, &mean, stride, weights, &mut statistics.mean, Output::Rows);
        for (weights, spread) in weights.chunks_exact(n).zip(spread.chunks_exact(n)) {
            for channel in 0..n {
                statistics.variance[channel] += weights[channel] * spread[channel];
            }
        }
        // Rounding may leave a tiny negative value where a channel is constant.
        statistics.variance.iter_mut().for_each(|variance| *variance = variance.max(0.0));
        Self { mean, spread, ..Self::fixed(statistics, weights, gamma, beta) }
    }

    /// With given statistics, for evaluation only.
    pub(crate) fn fixed(statistics: Statistics, weights: &[f32], gamma: &[f32], beta: &[f32]) -> Self {
        let norm = Normalisation::new(statistics, gamma, beta);
        let mut folded = weights.to_vec();
        for row in folded.chunks_exact_mut(gamma.len()) {
            row.iter_mut().zip(&norm.scale).for_each(|(weight, scale)| *weight *= scale);
        }
        Self { norm, folded, mean: Vec::new(), spread: Vec::new() }
    }

    /// From `product` = X^T G (`[k, n]`) and `sum` (`[n]`), the column sums of G, over `rows` rows.
    pub(crate) fn backward(
        &self,
        sizes: Sizes,
        rows: usize,
        weights: &[f32],
        mut product: Vec<f32>,
        sum: &[f64],
    ) -> ExpansionGradient {
        let Sizes { k, n, .. } = sizes;
        let mut projected = vec![0.0f64; n];
        for row in 0..k {
            for channel in 0..n {
                let value = &mut product[row * n + channel];
                *value -= (f64::from(self.mean[row]) * sum[channel]) as f32;
                projected[channel] += f64::from(weights[row * n + channel]) * f64::from(*value);
            }
        }
        let norm = &self.norm;
        let curvature: Vec<f32> = (0..n)
            .map(|c| (f64::from(norm.scale[c]) * f64::from(norm.inverse[c]).powi(2) * projected[c]) as f32)
            .collect();
        for (index, value) in product.iter_mut().enumerate() {
            let channel = index % n;
            *value = norm.scale[channel] * *value - curvature[channel] * self.spread[index];
        }
        let mut slopes = weights.to_vec();
        for row in slopes.chunks_exact_mut(n) {
            row.iter_mut().zip(&curvature).for_each(|(weight, slope)| *weight *= -slope / rows as f32);
        }
        let (correction, constant) = self.input_terms(sizes, rows, weights, &slopes, sum);
        ExpansionGradient {
            weights: product,
            gamma: (0..n).map(|c| (f64::from(norm.inverse[c]) * projected[c]) as f32).collect(),
            beta: sum.iter().map(|&sum| sum as f32).collect(),
            correction,
            constant,
        }
    }

    /// -Q and mean(X) Q - r; empty for the stem, whose input needs no gradient.
    fn input_terms(
        &self,
        sizes: Sizes,
        rows: usize,
        weights: &[f32],
        slopes: &[f32],
        sum: &[f64],
    ) -> (Vec<f32>, Vec<f32>) {
        let Sizes { k, stride, n } = sizes;
        if k != stride {
            return (Vec::new(), Vec::new());
        }
        let mut correction = vec![0.0; k * k];
        multiply(k, n, k, slopes, n, &transpose(k, n, weights), &mut correction, Output::Rows);
        let constant = (0..k).map(|row| {
            let folded = &self.folded[row * n..(row + 1) * n];
            let tail: f64 = folded.iter().zip(sum).map(|(&weight, sum)| f64::from(weight) * sum).sum();
            // Q is symmetric, so its row serves as its column.
            let head: f64 = (correction[row * k..(row + 1) * k].iter().zip(&self.mean))
                .map(|(&value, &mean)| f64::from(value) * f64::from(mean))
                .sum();
            (-head - tail / rows as f64) as f32
        });
        let constant = constant.collect();
        (correction, constant)
    }
}

impl ExpansionGradient {
    /// Completes `dx`, which holds G (scale W)^T, for the rows of `x`.
    /// `scratch` has at least the length of `x`; what is in it means nothing.
    pub(crate) fn complete(&self, k: usize, x: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        let scratch = &mut scratch[..x.len()];
        multiply(x.len() / k, k, k, x, k, &self.correction, scratch, Output::Rows);
        channel::add_affine(k, scratch, &vec![1.0; k], &self.constant, dx);
    }
}

/// Mean (`[columns]`) and covariance (`[columns, columns]`) of the rows of `x`.
fn covariance(columns: usize, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let rows = x.len() / columns;
    // Any row-independent shift is exact in theory; one near the mean keeps the f32 sums short of cancellation.
    let sample = rows.min(1024);
    let mut shift = vec![0.0; columns];
    for row in x[..sample * columns].chunks_exact(columns) {
        shift.iter_mut().zip(row).for_each(|(shift, value)| *shift += value / sample as f32);
    }
    let length = rows.div_ceil(CHUNKS) * columns;
    let parts: Vec<(Vec<f64>, Vec<f64>)> =
        x.par_chunks(length).with_max_len(1).map(|x| shifted_products(columns, x, &shift)).collect();
    let mut sum = vec![0.0; columns];
    let mut products = vec![0.0; columns * columns];
    for (part, product) in &parts {
        sum.iter_mut().zip(part).for_each(|(total, value)| *total += value / rows as f64);
        products.iter_mut().zip(product).for_each(|(total, value)| *total += value / rows as f64);
    }
    let covariance = (0..columns * columns)
        .map(|index| (products[index] - sum[index / columns] * sum[index % columns]) as f32)
        .collect();
    let mean = shift.iter().zip(&sum).map(|(&shift, sum)| (f64::from(shift) + sum) as f32).collect();
    (mean, covariance)
}

/// Sums of `x - shift` and of its outer products.
fn shifted_products(columns: usize, x: &[f32], shift: &[f32]) -> (Vec<f64>, Vec<f64>) {
    /// f32 sums stay this short before they go into f64 ones.
    const ROWS: usize = 256;
    let mut totals = (vec![0.0; columns], vec![0.0; columns * columns]);
    let mut shifted = pool::scratch(ROWS * columns);
    for x in x.chunks(ROWS * columns) {
        let shifted = &mut shifted[..x.len()];
        let mut sum = vec![0.0f32; columns];
        channel::subtract(columns, x, shift, shifted, &mut sum);
        let mut products = vec![0.0f32; columns * columns];
        accumulate(x.len() / columns, columns, columns, shifted, columns, shifted, &mut products);
        totals.0.iter_mut().zip(&sum).for_each(|(total, &value)| *total += f64::from(value));
        totals.1.iter_mut().zip(&products).for_each(|(total, &value)| *total += f64::from(value));
    }
    totals
}
