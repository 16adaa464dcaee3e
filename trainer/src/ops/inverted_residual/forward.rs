//! The forward pass: three sweeps over the batch, each in chunks of images.

use rayon::prelude::*;

use super::super::batch_norm::{Moments, Normalisation, Statistics};
use super::super::expansion::Expansion;
use super::super::gemm::{Output, multiply};
use super::super::{Mode, channel, depthwise};
use super::{BlockShape, BlockState, Parameters};

/// Returns `[images, out_height, out_width, output]` and leaves in `state` what the backward pass needs.
pub(super) fn forward(
    shape: &BlockShape,
    mode: &Mode,
    x: &[f32],
    images: usize,
    parameters: Parameters<'_>,
    state: &mut BlockState,
) -> Vec<f32> {
    let Parameters { expand, expand_gamma, expand_beta, .. } = parameters;
    let fixed = |index: usize| match mode {
        Mode::Train => None,
        Mode::Evaluate(statistics) => Some(statistics[index].clone()),
    };
    state.expansion = match fixed(0) {
        None => Expansion::of_batch(shape.expansion, x, expand, expand_gamma, expand_beta),
        Some(statistics) => Expansion::fixed(statistics, expand, expand_gamma, expand_beta),
    };
    let rows = images * shape.geometry.out_pixels();
    state.convolved.resize(rows * shape.expansion.n, 0.0);
    state.projected.resize(rows * shape.output, 0.0);

    let moments = convolve(shape, x, images, parameters, state);
    let statistics = fixed(1).unwrap_or_else(|| merged(&moments));
    state.depthwise_norm =
        Normalisation::new(statistics, parameters.depthwise_gamma, parameters.depthwise_beta);

    let moments = project(shape, images, parameters, state);
    let statistics = fixed(2).unwrap_or_else(|| merged(&moments));
    state.project_norm = Normalisation::new(statistics, parameters.project_gamma, parameters.project_beta);

    finish(shape, x, images, state)
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
    let BlockState { expansion, convolved, .. } = state;
    (convolved.par_chunks_mut(chunk * out_length))
        .zip(x.par_chunks(chunk * geometry.pixels() * sizes.stride))
        .with_max_len(1)
        .map(|(convolved, x)| {
            let mut padded = vec![0.0; group * padded_length];
            let groups = convolved.chunks_mut(group * out_length);
            for (convolved, x) in groups.zip(x.chunks(group * geometry.pixels() * sizes.stride)) {
                let rows = x.len() / sizes.stride;
                let output = Output::BiasRelu6 { bias: &expansion.norm.shift, offsets: &offsets };
                let folded = &expansion.folded;
                multiply(rows, sizes.k, sizes.n, x, sizes.stride, folded, &mut padded, output);
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
    let BlockState { depthwise_norm: norm, convolved, projected, .. } = state;
    (projected.par_chunks_mut(chunk * out))
        .zip(convolved.par_chunks(chunk * n))
        .with_max_len(1)
        .map(|(projected, convolved)| {
            let mut activated = vec![0.0; rows * n];
            for (projected, convolved) in projected.chunks_mut(rows * out).zip(convolved.chunks(rows * n)) {
                channel::affine_relu6(n, convolved, &norm.scale, &norm.shift, &mut activated);
                let rows = convolved.len() / n;
                multiply(rows, n, out, &activated, n, parameters.project, projected, Output::Rows);
            }
            chunk_moments(out, projected)
        })
        .collect()
}

/// The projection's normalisation and the residual connection.
fn finish(shape: &BlockShape, x: &[f32], images: usize, state: &BlockState) -> Vec<f32> {
    let length = shape.chunk(images) * shape.geometry.out_pixels() * shape.output;
    let norm = &state.project_norm;
    let mut result = if shape.residual { x.to_vec() } else { vec![0.0; state.projected.len()] };
    (result.par_chunks_mut(length)).zip(state.projected.par_chunks(length)).with_max_len(1).for_each(
        |(result, projected)| {
            channel::add_affine(shape.output, projected, &norm.scale, &norm.shift, result);
        },
    );
    result
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
