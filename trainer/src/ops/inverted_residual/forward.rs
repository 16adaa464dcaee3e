//! The forward pass: three sweeps over the batch, each in chunks of images.

use rayon::prelude::*;

use super::super::batch_norm::{Moments, Normalisation, Statistics};
use super::super::expansion::Expansion;
use super::super::gemm::{Output, multiply};
use super::super::panels::Panels;
use super::super::{channel, depthwise, pool};
use super::{BlockShape, BlockState, Parameters};

impl BlockShape {
    /// Fills `output` with `[images, out_height, out_width, output]` and leaves in `state` what the backward pass needs.
    /// `fixed` are statistics that are used instead of the batch's.
    pub(crate) fn forward(
        &self,
        fixed: Option<&[Statistics]>,
        x: &[f32],
        images: usize,
        packed: &[f32],
        state: &mut BlockState,
        output: &mut Vec<f32>,
    ) {
        let parameters = self.split(packed);
        let Parameters { expand, expand_gamma, expand_beta, .. } = parameters;
        let fixed = |index: usize| fixed.map(|statistics| statistics[index].clone());
        state.expansion = match fixed(0) {
            None => Expansion::of_batch(self.expansion, x, expand, expand_gamma, expand_beta),
            Some(statistics) => Expansion::fixed(statistics, expand_gamma, expand_beta),
        };
        state.folded = state.expansion.folded(self.expansion, expand);
        let rows = images * self.geometry.out_pixels();
        state.convolved.resize(rows * self.expansion.n, 0.0);
        state.projected.resize(rows * self.output, 0.0);

        let moments = convolve(self, x, images, parameters, state);
        let statistics = fixed(1).unwrap_or_else(|| merged(&moments));
        state.depthwise_norm =
            Normalisation::new(statistics, parameters.depthwise_gamma, parameters.depthwise_beta);

        let moments = project(self, images, parameters, state);
        let statistics = fixed(2).unwrap_or_else(|| merged(&moments));
        state.project_norm =
            Normalisation::new(statistics, parameters.project_gamma, parameters.project_beta);

        finish(self, x, images, state, output);
    }
}

fn merged(moments: &[Moments]) -> Statistics {
    Moments::merge(moments).statistics()
}

/// Expansion and depthwise convolution, into `state.convolved`; returns the moments of each chunk.
fn convolve(
    shape: &BlockShape,
    x: &[f32],
    images: usize,
    parameters: Parameters<'_>,
    state: &mut BlockState,
) -> Vec<Moments> {
    let (geometry, sizes) = (shape.geometry, shape.expansion);
    let (chunk, group) = (shape.chunk(images), shape.group(images));
    let out_length = geometry.out_pixels() * sizes.n;
    let padded_length = geometry.padded_pixels() * sizes.n;
    let offsets = geometry.padded_offsets(group, sizes.n);
    let BlockState { expansion, folded, convolved, .. } = state;
    (convolved.par_chunks_mut(chunk * out_length))
        .zip(x.par_chunks(chunk * geometry.pixels() * sizes.stride))
        .with_max_len(1)
        .map(|(convolved, x)| {
            let mut padded = pool::zeros(group * padded_length);
            let groups = convolved.chunks_mut(group * out_length);
            for (convolved, x) in groups.zip(x.chunks(group * geometry.pixels() * sizes.stride)) {
                let rows = x.len() / sizes.stride;
                let output = Output::BiasRelu6 { bias: &expansion.norm.shift, offsets: &offsets };
                multiply(rows, x, sizes.stride, folded, &mut padded, output);
                let pictures = convolved.chunks_exact_mut(out_length);
                for (convolved, padded) in pictures.zip(padded.chunks_exact(padded_length)) {
                    depthwise::forward(&geometry, sizes.n, padded, parameters.depthwise, convolved);
                }
            }
            chunk_moments(sizes.n, convolved)
        })
        .collect()
}

/// Normalisation, ReLU6 and projection, into `state.projected`; returns the moments of each chunk.
fn project(
    shape: &BlockShape,
    images: usize,
    parameters: Parameters<'_>,
    state: &mut BlockState,
) -> Vec<Moments> {
    let (n, out) = (shape.expansion.n, shape.output);
    let chunk = shape.chunk(images) * shape.geometry.out_pixels();
    let rows = shape.projection_rows();
    let weights = Panels::new(n, out, parameters.project);
    let BlockState { depthwise_norm: norm, convolved, projected, .. } = state;
    (projected.par_chunks_mut(chunk * out))
        .zip(convolved.par_chunks(chunk * n))
        .with_max_len(1)
        .map(|(projected, convolved)| {
            let mut activated = pool::scratch(rows * n);
            for (projected, convolved) in projected.chunks_mut(rows * out).zip(convolved.chunks(rows * n)) {
                channel::affine_relu6(n, convolved, &norm.scale, &norm.shift, &mut activated);
                let rows = convolved.len() / n;
                multiply(rows, &activated, n, &weights, projected, Output::Rows);
            }
            chunk_moments(out, projected)
        })
        .collect()
}

/// The projection's normalisation and the residual connection.
fn finish(shape: &BlockShape, x: &[f32], images: usize, state: &BlockState, output: &mut Vec<f32>) {
    let length = shape.chunk(images) * shape.geometry.out_pixels() * shape.output;
    let norm = &state.project_norm;
    output.resize(state.projected.len(), 0.0);
    (output.par_chunks_mut(length).enumerate())
        .zip(state.projected.par_chunks(length))
        .with_max_len(1)
        .for_each(|((index, output), projected)| {
            match shape.residual {
                true => output.copy_from_slice(&x[index * length..][..output.len()]),
                false => output.fill(0.0),
            }
            channel::add_affine(shape.output, projected, &norm.scale, &norm.shift, output);
        });
}

/// Mean and deviation of each channel of the rows of `x`.
fn chunk_moments(channels: usize, x: &[f32]) -> Moments {
    /// f32 sums stay this short.
    const ROWS: usize = 1024;
    let parts: Vec<Moments> = (x.chunks(ROWS * channels))
        .map(|x| {
            let mut sums = vec![0.0; 2 * channels];
            let (sum, square) = sums.split_at_mut(channels);
            channel::moments(channels, x, &x[..channels], sum, square);
            Moments::from_sums(x.len() / channels, &x[..channels], sum, square)
        })
        .collect();
    Moments::merge(&parts)
}
