//! An inverted residual on the GPU, the first one together with the stem.

use anyhow::Result;

use super::gpu::{Gpu, Pointer, Shape, launch, sums};
use super::norm::{Convolution, EPSILON, Gradient};
use super::product::Product;
use super::vectors::Vectors;
use crate::ops::batch_norm::Statistics;
use crate::ops::geometry::TAPS;
use crate::ops::inverted_residual::BlockShape;

/// One block: sizes, parameters, and the activations of the present batch.
#[derive(Debug)]
pub(super) struct Block {
    shape: BlockShape,
    /// Of the depthwise convolution.
    geometry: Shape,
    /// Rows before and behind the depthwise convolution, those of all images.
    rows: [usize; 2],
    expand: Convolution,
    depthwise: Convolution,
    project: Convolution,
    input: Pointer,
    /// Each convolution's output, before its normalisation; the depthwise one's also behind it and ReLU6.
    expanded: Pointer,
    convolved: Pointer,
    activated: Pointer,
    projected: Pointer,
    pub(super) output: Pointer,
}

/// Room for gradients of activations, which all layers share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scratch {
    /// Of a layer's output, and of its input, which change places from layer to layer.
    pub(super) outer: [Pointer; 2],
    /// Of the projection's output.
    pub(super) thin: Pointer,
    /// Behind the depthwise convolution, or of the last convolution.
    pub(super) wide: Pointer,
    /// Before the depthwise convolution.
    pub(super) widest: Pointer,
}

/// Values that each part of a [`Scratch`] has to have room for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    pub(super) outer: usize,
    pub(super) wide: usize,
    pub(super) widest: usize,
}

impl Needs {
    /// Room for both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            outer: self.outer.max(other.outer),
            wide: self.wide.max(other.wide),
            widest: self.widest.max(other.widest),
        }
    }
}

impl Block {
    /// For a batch of so many images, which lies at `input`; its parameters begin at `offset`, which moves behind them. With
    /// `fixed` statistics it is not trained.
    pub(super) fn new(
        gpu: &mut Gpu,
        shape: BlockShape,
        images: usize,
        input: Pointer,
        values: &[f32],
        offset: &mut usize,
        fixed: Option<&[Statistics]>,
    ) -> Result<Self> {
        let (k, middle, output) = (shape.expansion.k, shape.expansion.n, shape.output);
        let rows = [shape.geometry.pixels(), shape.geometry.out_pixels()].map(|pixels| images * pixels);
        let mut convolution = |gpu: &mut Gpu, index: usize, weights: usize, channels: usize| {
            let fixed = fixed.map(|statistics| &statistics[index]);
            Convolution::new(gpu, values, offset, (weights, channels), fixed)
        };
        Ok(Self {
            geometry: Shape::new(images, middle, &shape.geometry),
            rows,
            expand: convolution(gpu, 0, k * middle, middle)?,
            depthwise: convolution(gpu, 1, TAPS * middle, middle)?,
            project: convolution(gpu, 2, middle * output, output)?,
            input,
            expanded: gpu.reals(rows[0] * middle)?,
            convolved: gpu.reals(rows[1] * middle)?,
            activated: gpu.reals(rows[1] * middle)?,
            projected: gpu.reals(rows[1] * output)?,
            output: gpu.reals(rows[1] * output)?,
            shape,
        })
    }

    /// What it needs of a [`Scratch`].
    pub(super) fn needs(&self) -> Needs {
        let (sizes, output) = (self.shape.expansion, self.shape.output);
        Needs {
            outer: (self.rows[0] * sizes.stride).max(self.rows[1] * output),
            wide: self.rows[1] * sizes.n,
            widest: self.rows[0] * sizes.n,
        }
    }

    fn expansion(&self) -> Product {
        let sizes = self.shape.expansion;
        Product { rows: self.rows[0], inner: sizes.k, stride: sizes.stride, columns: sizes.n }
    }

    fn projection(&self) -> Product {
        let (middle, columns) = (self.shape.expansion.n, self.shape.output);
        Product { rows: self.rows[1], inner: middle, stride: middle, columns }
    }

    /// From the input to the output.
    pub(super) fn forward(&self, gpu: &Gpu, vectors: &Vectors) -> Result<()> {
        let Self { expand, depthwise, project, .. } = self;
        let [before, behind] = self.rows;
        self.expansion().forward(gpu, self.input, vectors.work(expand.weights), self.expanded)?;
        expand.take(gpu, vectors, self.expanded, before)?;
        let [gamma, beta] = depthwise.affine(vectors);
        let grid = sums(behind, depthwise.channels);
        launch!(
            gpu,
            "depthwise",
            grid,
            self.expanded,
            expand.norm,
            vectors.value(depthwise.weights),
            self.geometry,
            EPSILON,
            gamma,
            beta,
            gpu.partials,
            gpu.counters,
            depthwise.norm,
            self.convolved,
        )?;
        depthwise.apply(gpu, self.convolved, behind, (true, None), self.activated)?;
        self.projection().forward(gpu, self.activated, vectors.work(project.weights), self.projected)?;
        project.take(gpu, vectors, self.projected, behind)?;
        let residual = self.shape.residual.then_some(self.input);
        project.apply(gpu, self.projected, behind, (false, residual), self.output)
    }

    /// From the gradient of the output, the first of `scratch.outer`, to those of the parameters and, unless this is the `first`
    /// layer that is trained, to that of the input: the first of the pointers that are the result.
    pub(super) fn backward(
        &self,
        gpu: &Gpu,
        vectors: &Vectors,
        scratch: Scratch,
        first: bool,
    ) -> Result<[Pointer; 2]> {
        let Self { expand, depthwise, project, .. } = self;
        let [before, behind] = self.rows;
        let Scratch { outer: [outer, other], thin, wide, widest } = scratch;
        let of = |at: Pointer, relu6: bool| Gradient { at, pixels: 1, relu6 };

        project.backward(gpu, vectors, of(outer, false), self.projected, behind, thin)?;
        self.projection().weights(gpu, self.activated, thin, vectors.gradient(project.weights))?;
        self.projection().input(gpu, thin, vectors.work(project.weights), wide, [1.0, 0.0])?;

        depthwise.backward(gpu, vectors, of(wide, true), self.convolved, behind, wide)?;
        let (input, norm, geometry) = (self.expanded, expand.norm, self.geometry);
        let weights = vectors.gradient(depthwise.weights);
        let (partials, counters) = (gpu.partials, gpu.counters);
        let grid = sums(behind, depthwise.channels);
        launch!(gpu, "depthwise_weights", grid, input, norm, wide, geometry, partials, counters, weights)?;
        let [gamma, beta, slopes] = expand.gradients(vectors);
        let weights = vectors.value(depthwise.weights);
        let grid = sums(before, depthwise.channels);
        launch!(
            gpu,
            "depthwise_input",
            grid,
            wide,
            weights,
            input,
            norm,
            geometry,
            partials,
            counters,
            gamma,
            beta,
            slopes,
            widest,
        )?;

        // ReLU6 is undone already.
        expand.complete(gpu, of(widest, false), input, before, widest)?;
        self.expansion().weights(gpu, self.input, widest, vectors.gradient(expand.weights))?;
        if first {
            return Ok([outer, other]);
        }
        let weights = vectors.work(expand.weights);
        match self.shape.residual {
            // What goes around the block is there already.
            true => {
                self.expansion().input(gpu, widest, weights, outer, [1.0, 1.0])?;
                Ok([outer, other])
            }
            false => {
                self.expansion().input(gpu, widest, weights, other, [1.0, 0.0])?;
                Ok([other, outer])
            }
        }
    }
}
