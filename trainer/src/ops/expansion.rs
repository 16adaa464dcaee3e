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
use super::gemm::{Output, accumulate, multiply, multiply_parallel};
use super::panels::Panels;
use super::{CHUNK_ROWS, CHUNKS, channel, pool};

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

impl Sizes {
    /// Whether the input is a picture's patches: it needs no gradient, and only its rows have unused columns.
    pub(crate) fn is_stem(&self) -> bool {
        self.k != self.stride
    }
}

/// Batch normalisation of an expansion, ready to use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expansion {
    /// The batch normalisation.
    pub(crate) norm: Normalisation,
    /// Mean of X, `[stride]`.
    mean: Vec<f32>,
    /// C W, `[k, n]`.
    spread: Vec<f32>,
}

/// What the backward pass gives besides the gradient of W.
#[derive(Debug)]
pub(crate) struct ExpansionGradient {
    /// Of gamma, `[n]`.
    pub(crate) gamma: Vec<f32>,
    /// Of beta, `[n]`.
    pub(crate) beta: Vec<f32>,
    /// Of the input; none for the stem.
    input: Option<InputGradient>,
}

/// What the input's gradient has besides G (scale W)^T.
#[derive(Debug)]
struct InputGradient {
    /// -Q, `[k, k]`.
    correction: Panels,
    /// mean(X) Q - r, `[k]`.
    constant: Vec<f32>,
}

impl Expansion {
    /// With the statistics of this batch.
    pub(crate) fn of_batch(sizes: Sizes, x: &[f32], weights: &[f32], gamma: &[f32], beta: &[f32]) -> Self {
        let Sizes { k, stride, n } = sizes;
        let (mean, covariance) = covariance(stride, x);
        let mut spread = vec![0.0; k * n];
        let packed = Panels::new(k, n, weights);
        multiply_parallel(&covariance[..k * stride], stride, &packed, &mut spread);
        let mut statistics = Statistics { mean: vec![0.0; n], variance: vec![0.0; n] };
        multiply(1, &mean, stride, &packed, &mut statistics.mean, Output::Rows);
        for (weights, spread) in weights.chunks_exact(n).zip(spread.chunks_exact(n)) {
            for channel in 0..n {
                statistics.variance[channel] += weights[channel] * spread[channel];
            }
        }
        // Rounding may leave a tiny negative value where a channel is constant.
        statistics.variance.iter_mut().for_each(|variance| *variance = variance.max(0.0));
        Self { mean, spread, ..Self::fixed(statistics, gamma, beta) }
    }

    /// With given statistics: there is no way backward then.
    pub(crate) fn fixed(statistics: Statistics, gamma: &[f32], beta: &[f32]) -> Self {
        let norm = Normalisation::new(statistics, gamma, beta);
        Self { norm, mean: Vec::new(), spread: Vec::new() }
    }

    /// W with the scale folded in, `[k, n]`.
    pub(crate) fn folded(&self, sizes: Sizes, weights: &[f32]) -> Panels {
        Panels::new(sizes.k, sizes.n, &scaled(weights, &self.norm.scale))
    }

    /// The transpose of that, `[n, k]`; none for the stem.
    pub(crate) fn transposed(&self, sizes: Sizes, weights: &[f32]) -> Option<Panels> {
        let transposed = || Panels::transposed(sizes.n, sizes.k, &scaled(weights, &self.norm.scale));
        (!sizes.is_stem()).then(transposed)
    }

    /// From `product` = X^T G (`[k, n]`), which becomes the gradient of W, and `sum` (`[n]`), the column sums of G, over
    /// `rows` rows.
    pub(crate) fn backward(
        &self,
        sizes: Sizes,
        rows: usize,
        weights: &[f32],
        sum: &[f64],
        product: &mut [f32],
    ) -> ExpansionGradient {
        let n = sizes.n;
        assert!(product.len() == self.spread.len() && weights.len() == self.spread.len());
        let norm = &self.norm;
        product.par_chunks_mut(n).zip(&self.mean).for_each(|(product, &mean)| {
            let values = product.iter_mut().zip(sum);
            values.for_each(|(value, sum)| *value -= (f64::from(mean) * sum) as f32);
        });
        let projected = column_products(n, weights, product);
        let curvature: Vec<f32> = (0..n)
            .map(|c| (f64::from(norm.scale[c]) * f64::from(norm.inverse[c]).powi(2) * projected[c]) as f32)
            .collect();
        product.par_chunks_mut(n).zip(self.spread.par_chunks(n)).for_each(|(product, spread)| {
            let coefficients = norm.scale.iter().zip(&curvature);
            for ((value, spread), (scale, curvature)) in product.iter_mut().zip(spread).zip(coefficients) {
                *value = scale * *value - curvature * spread;
            }
        });
        let slopes: Vec<f32> = curvature.iter().map(|slope| -slope / rows as f32).collect();
        let input = (!sizes.is_stem()).then(|| self.input_gradient(sizes, rows, weights, &slopes, sum));
        ExpansionGradient {
            gamma: (0..n).map(|c| (f64::from(norm.inverse[c]) * projected[c]) as f32).collect(),
            beta: sum.iter().map(|&sum| sum as f32).collect(),
            input,
        }
    }

    /// `slopes` are the diagonal of the matrix in the middle of -Q.
    fn input_gradient(
        &self,
        sizes: Sizes,
        rows: usize,
        weights: &[f32],
        slopes: &[f32],
        sum: &[f64],
    ) -> InputGradient {
        let Sizes { k, n, .. } = sizes;
        let mut correction = vec![0.0; k * k];
        let transposed = Panels::transposed(n, k, weights);
        multiply_parallel(&scaled(weights, slopes), n, &transposed, &mut correction);
        let sum: Vec<f64> =
            sum.iter().zip(&self.norm.scale).map(|(sum, &scale)| sum * f64::from(scale)).collect();
        let constant = correction.par_chunks(k).zip(weights.par_chunks(n)).map(|(correction, weights)| {
            let tail: f64 = weights.iter().zip(&sum).map(|(&weight, sum)| f64::from(weight) * sum).sum();
            // Q is symmetric, so its row serves as its column.
            let head: f64 =
                correction.iter().zip(&self.mean).map(|(&q, &mean)| f64::from(q) * f64::from(mean)).sum();
            (-head - tail / rows as f64) as f32
        });
        let constant = constant.collect();
        InputGradient { correction: Panels::new(k, k, &correction), constant }
    }
}

/// `weights` with each column times its factor.
fn scaled(weights: &[f32], factors: &[f32]) -> Vec<f32> {
    let mut scaled = weights.to_vec();
    scaled.par_chunks_mut(factors.len()).for_each(|row| {
        row.iter_mut().zip(factors).for_each(|(weight, factor)| *weight *= factor);
    });
    scaled
}

/// For each of `n` columns the sum of the products of the values of `a` and `b`.
fn column_products(n: usize, a: &[f32], b: &[f32]) -> Vec<f64> {
    /// Columns of a task.
    const TASK: usize = 64;
    let mut sums = vec![0.0; n];
    sums.par_chunks_mut(TASK).enumerate().for_each(|(task, sums)| {
        for (a, b) in a.chunks_exact(n).zip(b.chunks_exact(n)) {
            let values = a[task * TASK..].iter().zip(&b[task * TASK..]);
            sums.iter_mut().zip(values).for_each(|(sum, (&a, &b))| *sum += f64::from(a) * f64::from(b));
        }
    });
    sums
}

impl ExpansionGradient {
    /// Completes `dx`, which holds G (scale W)^T, for the rows of `x`, unless this is the stem.
    /// `scratch` has at least the length of `x`; what is in it means nothing.
    pub(crate) fn complete(&self, k: usize, x: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        let Some(InputGradient { correction, constant }) = &self.input else { return };
        let scratch = &mut scratch[..x.len()];
        multiply(x.len() / k, x, k, correction, scratch, Output::Rows);
        channel::add_affine(k, scratch, &vec![1.0; k], constant, dx);
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
    let length = rows.div_ceil(CHUNKS).max(4 * CHUNK_ROWS) * columns;
    let parts: Vec<(Vec<f64>, Vec<f64>)> =
        x.par_chunks(length).with_max_len(1).map(|x| shifted_products(columns, x, &shift)).collect();
    let mut sum = vec![0.0; columns];
    let mut products = vec![0.0; columns * columns];
    for (part, product) in &parts {
        sum.iter_mut().zip(part).for_each(|(total, value)| *total += value / rows as f64);
        products.iter_mut().zip(product).for_each(|(total, value)| *total += value / rows as f64);
    }
    let mut covariance = Vec::with_capacity(columns * columns);
    for (products, row) in products.chunks_exact(columns).zip(&sum) {
        covariance.extend(products.iter().zip(&sum).map(|(product, column)| (product - row * column) as f32));
    }
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
