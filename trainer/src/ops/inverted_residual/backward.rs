//! The backward pass: the projection's sums, then the projection, then depthwise convolution and expansion together.

use rayon::prelude::*;

use super::super::batch_norm::{GradientSums, NormalisationGradient};
use super::super::expansion::ExpansionGradient;
use super::super::gemm::{Output, accumulate, multiply};
use super::super::geometry::TAPS;
use super::super::panels::Panels;
use super::super::{add_up, channel, depthwise, pool};
use super::{BlockShape, BlockState, Parameters};

impl BlockShape {
    /// `result` becomes the gradient of the packed parameters, `dx` that of the input, or empty for a picture.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn backward(
        &self,
        x: &[f32],
        images: usize,
        packed: &[f32],
        gradient: &[f32],
        state: &mut BlockState,
        dx: &mut Vec<f32>,
        result: &mut [f32],
    ) {
        let parameters = self.split(packed);
        let [expand_weights, eg, eb, depthwise_weights, dg, db, project_weights, pg, pb] = self.cut(result);
        let rows = images * self.geometry.out_pixels();
        let pass = Backward { shape: self, images, parameters };
        let sums = pass.projection_sums(gradient, state);
        let project = state.project_norm.backward(rows, &sums);
        let sums = pass.project(gradient, &project, state, project_weights);
        let depthwise = state.depthwise_norm.backward(rows, &sums);
        dx.resize(if self.expansion.is_stem() { 0 } else { x.len() }, 0.0);
        let sum = pass.convolve(x, &depthwise, state, dx, expand_weights, depthwise_weights);

        let rows = images * self.geometry.pixels();
        let weights = parameters.expand;
        let expand = state.expansion.backward(self.expansion, rows, weights, &sum, expand_weights);
        pass.complete(x, gradient, &expand, dx);
        let parts = [
            (eg, &expand.gamma),
            (eb, &expand.beta),
            (dg, &depthwise.gamma),
            (db, &depthwise.beta),
            (pg, &project.gamma),
            (pb, &project.beta),
        ];
        parts.into_iter().for_each(|(target, part)| target.copy_from_slice(part));
    }
}

struct Backward<'a> {
    shape: &'a BlockShape,
    images: usize,
    parameters: Parameters<'a>,
}

/// One chunk's share of what the last sweep gives.
struct Part {
    depthwise_weights: pool::Buffer,
    /// X^T G.
    product: pool::Buffer,
    /// Column sums of G.
    sum: Vec<f32>,
}

impl Backward<'_> {
    /// Output pixels of a chunk.
    fn chunk_rows(&self) -> usize {
        self.shape.chunk(self.images) * self.shape.geometry.out_pixels()
    }

    fn projection_sums(&self, gradient: &[f32], state: &BlockState) -> GradientSums {
        let out = self.shape.output;
        let mean = &state.project_norm.statistics.mean;
        let length = self.chunk_rows() * out;
        let parts: Vec<Vec<f32>> = (gradient.par_chunks(length))
            .zip(state.projected.par_chunks(length))
            .with_max_len(1)
            .map(|(gradient, projected)| {
                let mut sums = vec![0.0; 2 * out];
                let (sum, product) = sums.split_at_mut(out);
                channel::gradient_sums(out, gradient, projected, mean, sum, product);
                sums
            })
            .collect();
        GradientSums::merge(out, parts.iter().map(|sums| sums.split_at(out)))
    }

    /// Through the projection and ReLU6, into `state.gradient`, and the weights' gradient; returns the sums.
    fn project(
        &self,
        gradient: &[f32],
        project: &NormalisationGradient,
        state: &mut BlockState,
        weights_gradient: &mut [f32],
    ) -> GradientSums {
        let (n, out) = (self.shape.expansion.n, self.shape.output);
        let (chunk, rows) = (self.chunk_rows(), self.shape.projection_rows());
        let transposed = Panels::transposed(out, n, self.parameters.project);
        let offsets: Vec<usize> = (0..rows).map(|row| row * out).collect();
        let BlockState { depthwise_norm: norm, convolved, projected, gradient: target, .. } = state;
        target.resize(convolved.len(), 0.0);
        let parts: Vec<(pool::Buffer, Vec<f32>)> = (target.par_chunks_mut(chunk * n))
            .zip(convolved.par_chunks(chunk * n))
            .zip(gradient.par_chunks(chunk * out).zip(projected.par_chunks(chunk * out)))
            .with_max_len(1)
            .map(|((target, convolved), (gradient, projected))| {
                let mut weights = pool::zeros(n * out);
                let mut sums = vec![0.0; 2 * n];
                let (sum, product) = sums.split_at_mut(n);
                let mut activated = pool::scratch(rows * n);
                let mut normalised = pool::scratch(rows * out);
                let thin = gradient.chunks(rows * out).zip(projected.chunks(rows * out));
                let wide = target.chunks_mut(rows * n).zip(convolved.chunks(rows * n));
                for ((target, convolved), (gradient, projected)) in wide.zip(thin) {
                    let rows = gradient.len() / out;
                    let coefficients = project.coefficients();
                    channel::scatter_gradient(
                        out,
                        gradient,
                        projected,
                        coefficients,
                        &offsets,
                        &mut normalised,
                    );
                    channel::affine_relu6(n, convolved, &norm.scale, &norm.shift, &mut activated);
                    accumulate(rows, n, out, &activated, n, &normalised, &mut weights);
                    multiply(rows, &normalised, out, &transposed, target, Output::Rows);
                    let mean = &norm.statistics.mean;
                    channel::masked_sums(n, target, &activated, convolved, mean, sum, product);
                }
                (weights, sums)
            })
            .collect();
        add_up(&parts.iter().map(|(weights, _)| &**weights).collect::<Vec<_>>(), weights_gradient);
        GradientSums::merge(n, parts.iter().map(|(_, sums)| sums.split_at(n)))
    }

    /// Through the depthwise convolution and, as far as it goes without the sums, the expansion: `dx` (unless empty)
    /// becomes G (scale W)^T; the gradients become X^T G and that of the depthwise weights. Returns the column sums of G.
    fn convolve(
        &self,
        x: &[f32],
        depthwise: &NormalisationGradient,
        state: &BlockState,
        dx: &mut [f32],
        product: &mut [f32],
        depthwise_weights: &mut [f32],
    ) -> Vec<f64> {
        let sizes = self.shape.expansion;
        let pixels = self.shape.geometry.pixels();
        let chunk = self.shape.chunk(self.images);
        let sweep = Sweep {
            backward: self,
            depthwise,
            state,
            transposed: state.expansion.transposed(sizes, self.parameters.expand),
            padded_offsets: self.shape.geometry.padded_offsets(self.shape.group(self.images), sizes.n),
            bordered_offsets: self.shape.geometry.bordered_offsets(1, sizes.n),
        };
        let length = chunk * pixels * sizes.stride;
        let targets: Vec<Option<&mut [f32]>> = match dx.is_empty() {
            true => x.chunks(length).map(|_| None).collect(),
            false => dx.chunks_mut(length).map(Some).collect(),
        };
        let parts: Vec<Part> = (x.par_chunks(length).zip(targets))
            .enumerate()
            .with_max_len(1)
            .map(|(index, (x, dx))| sweep.chunk(index, x, dx))
            .collect();
        let mut sum = vec![0.0; sizes.n];
        for part in &parts {
            sum.iter_mut().zip(&part.sum).for_each(|(total, &value)| *total += f64::from(value));
        }
        add_up(&parts.iter().map(|part| &*part.product).collect::<Vec<_>>(), product);
        add_up(&parts.iter().map(|part| &*part.depthwise_weights).collect::<Vec<_>>(), depthwise_weights);
        sum
    }

    /// The terms of the input's gradient that need the sums, and the residual connection.
    fn complete(&self, x: &[f32], gradient: &[f32], expand: &ExpansionGradient, dx: &mut [f32]) {
        let k = self.shape.expansion.k;
        let length = self.shape.chunk(self.images) * self.shape.geometry.pixels() * k;
        (dx.par_chunks_mut(length)).zip(x.par_chunks(length)).enumerate().with_max_len(1).for_each(
            |(index, (dx, x))| {
                let mut scratch = pool::scratch(512 * k);
                for (dx, x) in dx.chunks_mut(512 * k).zip(x.chunks(512 * k)) {
                    expand.complete(k, x, dx, &mut scratch);
                }
                if self.shape.residual {
                    let gradient = &gradient[index * length..][..dx.len()];
                    dx.iter_mut().zip(gradient).for_each(|(dx, value)| *dx += value);
                }
            },
        );
    }
}

/// What every chunk of the last sweep shares.
struct Sweep<'a> {
    backward: &'a Backward<'a>,
    depthwise: &'a NormalisationGradient,
    state: &'a BlockState,
    /// (scale W)^T, `[n, k]`; none for the stem.
    transposed: Option<Panels>,
    padded_offsets: Vec<usize>,
    bordered_offsets: Vec<usize>,
}

impl Sweep<'_> {
    fn chunk(&self, index: usize, x: &[f32], mut dx: Option<&mut [f32]>) -> Part {
        let shape = self.backward.shape;
        let (geometry, sizes) = (shape.geometry, shape.expansion);
        let group = shape.group(self.backward.images);
        let first = index * shape.chunk(self.backward.images);
        let mut part = Part {
            depthwise_weights: pool::zeros(TAPS * sizes.n),
            product: pool::zeros(sizes.k * sizes.n),
            sum: vec![0.0; sizes.n],
        };
        let mut padded = pool::zeros(group * geometry.padded_pixels() * sizes.n);
        let mut bordered = pool::zeros(geometry.bordered_pixels() * sizes.n);
        let mut masked = pool::scratch(group * geometry.pixels() * sizes.n);
        let length = group * geometry.pixels() * sizes.stride;
        for (number, x) in x.chunks(length).enumerate() {
            let rows = x.len() / sizes.stride;
            let BlockState { expansion, folded, .. } = self.state;
            let output = Output::BiasRelu6 { bias: &expansion.norm.shift, offsets: &self.padded_offsets };
            multiply(rows, x, sizes.stride, folded, &mut padded, output);
            for image in 0..rows / geometry.pixels() {
                let padded = &padded[image * geometry.padded_pixels() * sizes.n..];
                let masked = &mut masked[image * geometry.pixels() * sizes.n..];
                self.picture(first + number * group + image, padded, &mut bordered, masked, &mut part);
            }
            accumulate(rows, sizes.k, sizes.n, x, sizes.stride, &masked, &mut part.product);
            if let (Some(dx), Some(transposed)) = (&mut dx, &self.transposed) {
                let dx = &mut dx[number * length..][..x.len()];
                multiply(rows, &masked, sizes.n, transposed, dx, Output::Rows);
            }
        }
        part
    }

    /// The depthwise convolution of one image, backward.
    fn picture(
        &self,
        image: usize,
        padded: &[f32],
        bordered: &mut [f32],
        masked: &mut [f32],
        part: &mut Part,
    ) {
        let (geometry, n) = (self.backward.shape.geometry, self.backward.shape.expansion.n);
        let length = geometry.out_pixels() * n;
        let gradient = &self.state.gradient[image * length..][..length];
        let convolved = &self.state.convolved[image * length..][..length];
        let coefficients = self.depthwise.coefficients();
        channel::scatter_gradient(n, gradient, convolved, coefficients, &self.bordered_offsets, bordered);
        depthwise::accumulate_weights(&geometry, n, padded, bordered, &mut part.depthwise_weights);
        let weights = self.backward.parameters.depthwise;
        depthwise::backward(&geometry, n, bordered, weights, padded, masked, &mut part.sum);
    }
}
