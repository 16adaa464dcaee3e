//! A whole inverted residual: expansion, depthwise convolution and projection, each with batch normalisation, the first
//! two with ReLU6, and the residual connection.
//!
//! Kept between forward and backward are the depthwise convolution's output and the projection's, before their
//! normalisation. The expanded tensor exists only image by image (see [`super::expansion`]). The first block works
//! the same way: its expansion is the stem, over the picture's patches.

mod backward;
mod forward;

use super::batch_norm::{Normalisation, Statistics};
use super::expansion::{Expansion, Sizes};
use super::geometry::{Geometry, TAPS};
use super::panels::Panels;
use super::{CHUNK_ROWS, CHUNKS};

/// The sizes of one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockShape {
    /// Of the expansion's matrices.
    pub(crate) expansion: Sizes,
    /// Channels out.
    pub(crate) output: usize,
    /// Of the depthwise convolution.
    pub(crate) geometry: Geometry,
    /// Whether the input is added to the output.
    pub(crate) residual: bool,
}

/// The block's parameters in the order in which they are packed.
#[derive(Clone, Copy, Debug)]
struct Parameters<'a> {
    expand: &'a [f32],
    expand_gamma: &'a [f32],
    expand_beta: &'a [f32],
    depthwise: &'a [f32],
    depthwise_gamma: &'a [f32],
    depthwise_beta: &'a [f32],
    project: &'a [f32],
    project_gamma: &'a [f32],
    project_beta: &'a [f32],
}

impl BlockShape {
    /// Lengths of the parts of the packed parameters: weights, gamma and beta of the three convolutions.
    pub(crate) fn parts(&self) -> [usize; 9] {
        let (Sizes { k, n, .. }, out) = (self.expansion, self.output);
        [k * n, n, n, TAPS * n, n, n, n * out, out, out]
    }

    fn split<'a>(&self, mut packed: &'a [f32]) -> Parameters<'a> {
        let [e, eg, eb, d, dg, db, p, pg, pb] = self.parts().map(|length| {
            let (part, rest) = packed.split_at(length);
            packed = rest;
            part
        });
        Parameters {
            expand: e,
            expand_gamma: eg,
            expand_beta: eb,
            depthwise: d,
            depthwise_gamma: dg,
            depthwise_beta: db,
            project: p,
            project_gamma: pg,
            project_beta: pb,
        }
    }

    /// The parts of the packed gradient, in the order of [`BlockShape::parts`].
    fn cut<'a>(&self, mut packed: &'a mut [f32]) -> [&'a mut [f32]; 9] {
        self.parts().map(|length| {
            let (part, rest) = std::mem::take(&mut packed).split_at_mut(length);
            packed = rest;
            part
        })
    }

    /// Images of a chunk, the unit of parallel work, for a batch of `images`.
    fn chunk(&self, images: usize) -> usize {
        images.div_ceil(CHUNKS).max(CHUNK_ROWS.div_ceil(self.geometry.out_pixels()))
    }

    /// Images whose expanded tensor is in the cache at a time.
    fn group(&self, images: usize) -> usize {
        /// Values that leave room for the gradient's buffers in a second-level cache.
        const CACHE: usize = 32 << 10;
        (CACHE / (self.geometry.padded_pixels() * self.expansion.n)).clamp(1, self.chunk(images))
    }

    /// Rows of the depthwise convolution's output that the projection treats at a time: they stay in the first-level cache,
    /// unless that is so few that the weights, and the sums of their gradients, are read too often.
    fn projection_rows(&self) -> usize {
        (8192 / self.expansion.n).max(64)
    }
}

/// What a block keeps from step to step: buffers, and between forward and backward what the latter needs.
#[derive(Debug, Default)]
pub(crate) struct BlockState {
    expansion: Expansion,
    /// The expansion's weights with its scale.
    folded: Panels,
    depthwise_norm: Normalisation,
    project_norm: Normalisation,
    /// The depthwise convolution's output, `[images, out_height, out_width, n]`.
    convolved: Vec<f32>,
    /// The projection's output, `[images, out_height, out_width, output]`.
    projected: Vec<f32>,
    /// The gradient before the depthwise convolution's ReLU6, as `convolved`.
    gradient: Vec<f32>,
}

impl BlockState {
    /// The statistics of the last pass, one for each batch normalisation.
    pub(crate) fn statistics(&self) -> Vec<Statistics> {
        let norms = [&self.expansion.norm, &self.depthwise_norm, &self.project_norm];
        norms.map(|norm| norm.statistics.clone()).to_vec()
    }
}
