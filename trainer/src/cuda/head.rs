//! What follows the blocks on the GPU: the last convolution, the mean over each image, the dense layers and the loss.

use anyhow::Result;
use mobilenet::Dense;

use super::block::{Needs, Scratch};
use super::gpu::{Gpu, Pointer, THREADS, blocks, launch};
use super::input::Input;
use super::norm::{Convolution, Gradient};
use super::product::Product;
use super::vectors::Vectors;
use crate::ops::batch_norm::Statistics;
use crate::ops::features::Features;

/// Images that a block of the kernel `loss` treats: one for each warp.
const IMAGES: usize = THREADS / 32;

/// The last convolution and the mean over each image.
#[derive(Debug)]
pub(super) struct Last {
    product: Product,
    pixels: usize,
    convolution: Convolution,
    frozen: bool,
    input: Pointer,
    convolved: Pointer,
}

/// The pooled features, `[images, channels]`, and the gradient by them.
#[derive(Clone, Copy, Debug)]
struct Pooled {
    images: usize,
    channels: usize,
    at: Pointer,
    gradient: Pointer,
}

/// A dense layer: weights, then biases.
#[derive(Clone, Copy, Debug)]
struct Layer {
    product: Product,
    weights: usize,
    bias: usize,
}

/// The last convolution, the dense layers and the loss.
#[derive(Debug)]
pub(super) struct Head {
    last: Last,
    pooled: Pooled,
    /// The hidden layer, its output and the gradient of that.
    hidden: Option<(Layer, Pointer, Pointer)>,
    classes: Layer,
    /// f32.
    logits: Pointer,
    gradient: Pointer,
    /// The loss of each image, then the class that it is taken for.
    pub(super) results: Pointer,
}

impl Head {
    /// For a batch of so many images; the last convolution takes what lies at `input`, its parameters begin at `offset`. With
    /// `fixed` statistics that is not trained.
    pub(super) fn new(
        gpu: &mut Gpu,
        (features, dense): (Features, &[Dense]),
        images: usize,
        input: Pointer,
        values: &[f32],
        mut offset: usize,
        fixed: Option<&[Statistics]>,
    ) -> Result<Self> {
        let Features { height, width, k, n } = features;
        let pixels = height * width;
        let fixed = fixed.map(|statistics| &statistics[0]);
        let last = Last {
            product: Product { rows: images * pixels, inner: k, stride: k, columns: n },
            pixels,
            convolution: Convolution::new(gpu, values, &mut offset, (k * n, n), fixed)?,
            frozen: fixed.is_some(),
            input,
            convolved: gpu.reals(images * pixels * n)?,
        };
        let mut layer = |dense: &Dense| {
            let (inner, columns) = (dense.inputs, dense.units);
            let (weights, bias) = (offset, offset + inner * columns);
            offset = bias + columns;
            Layer { product: Product { rows: images, inner, stride: inner, columns }, weights, bias }
        };
        let hidden = (dense.len() > 1).then(|| layer(&dense[0]));
        let classes = layer(&dense[dense.len() - 1]);
        let two =
            |gpu: &mut Gpu, count: usize| Ok::<_, anyhow::Error>([gpu.reals(count)?, gpu.reals(count)?]);
        let [at, gradient] = two(gpu, images * n)?;
        let hidden = match hidden {
            None => None,
            Some(layer) => {
                let [output, gradient] = two(gpu, images * layer.product.columns)?;
                Some((layer, output, gradient))
            }
        };
        let logits = images * classes.product.columns;
        Ok(Self {
            last,
            pooled: Pooled { images, channels: n, at, gradient },
            hidden,
            classes,
            logits: gpu.floats(logits)?,
            gradient: gpu.reals(logits)?,
            results: gpu.floats(2 * images)?,
        })
    }

    /// What it needs of a [`Scratch`].
    pub(super) fn needs(&self) -> Needs {
        let Product { rows, inner, columns, .. } = self.last.product;
        Needs { outer: rows * inner, wide: rows * columns, widest: 0 }
    }

    /// From the last convolution's input to losses and answers, and the gradient by the logits.
    pub(super) fn forward(&self, gpu: &Gpu, vectors: &Vectors, batch: &Input) -> Result<()> {
        let Self { last, pooled, classes, .. } = self;
        let Last { product, pixels, convolution, input, convolved, .. } = last;
        product.forward(gpu, *input, vectors.work(convolution.weights), *convolved)?;
        convolution.take(gpu, vectors, *convolved, product.rows)?;
        let &Pooled { images, channels, at, .. } = pooled;
        let dropout = if self.hidden.is_some() { Pointer::NULL } else { batch.dropout };
        let grid = blocks(images * channels / 8);
        launch!(gpu, "pool", grid, *convolved, convolution.norm, dropout, images, *pixels, channels, at)?;
        let mut x = at;
        if let Some((layer, output, _)) = self.hidden {
            let units = layer.product.columns;
            layer.product.forward(gpu, x, vectors.work(layer.weights), output)?;
            let (bias, count) = (vectors.value(layer.bias), images * units);
            launch!(gpu, "hidden", blocks(count), bias, batch.dropout, count, units, output)?;
            x = output;
        }
        classes.product.forward_f32(gpu, x, vectors.work(classes.weights), self.logits)?;
        launch!(
            gpu,
            "loss",
            [images.div_ceil(IMAGES), 1],
            self.logits,
            vectors.value(classes.bias),
            batch.targets,
            batch.soft,
            batch.temperature,
            images,
            classes.product.columns,
            vectors.state,
            self.gradient,
            self.results,
        )
    }

    /// From the gradient by the logits to those of the parameters and, if there is a trained layer `before`, into the first of
    /// `scratch.outer` that of the last convolution's input.
    pub(super) fn backward(
        &self,
        gpu: &Gpu,
        vectors: &Vectors,
        batch: &Input,
        scratch: Scratch,
        before: bool,
    ) -> Result<()> {
        let Self { last, pooled, classes, .. } = self;
        let (input, none) = (self.hidden.map_or(pooled.at, |(_, output, _)| output), Pointer::NULL);
        bias_gradient(gpu, vectors, classes, self.gradient, [none, none])?;
        classes.product.weights(gpu, input, self.gradient, vectors.gradient(classes.weights))?;
        if last.frozen && self.hidden.is_none() {
            return Ok(());
        }
        let weights = vectors.work(classes.weights);
        // The mean over an image hands each pixel its share.
        let share = [1.0 / last.pixels as f32, 0.0];
        match self.hidden {
            Some((layer, output, gradient)) => {
                classes.product.input(gpu, self.gradient, weights, gradient, [1.0, 0.0])?;
                bias_gradient(gpu, vectors, &layer, gradient, [output, batch.dropout])?;
                layer.product.weights(gpu, pooled.at, gradient, vectors.gradient(layer.weights))?;
                if last.frozen {
                    return Ok(());
                }
                layer.product.input(gpu, gradient, vectors.work(layer.weights), pooled.gradient, share)?;
            }
            None => {
                classes.product.input(gpu, self.gradient, weights, pooled.gradient, share)?;
                let count = pooled.images * pooled.channels;
                launch!(gpu, "drop", blocks(count), batch.dropout, count, pooled.gradient)?;
            }
        }
        let Last { product, pixels, convolution, input, convolved, .. } = last;
        let gradient = Gradient { at: pooled.gradient, pixels: *pixels, relu6: true };
        convolution.backward(gpu, vectors, gradient, *convolved, product.rows, scratch.wide)?;
        product.weights(gpu, *input, scratch.wide, vectors.gradient(convolution.weights))?;
        if before {
            let weights = vectors.work(convolution.weights);
            product.input(gpu, scratch.wide, weights, scratch.outer[0], [1.0, 0.0])?;
        }
        Ok(())
    }
}

/// The gradient of a layer's biases from that of its output, which goes back through ReLU and dropout before if it is a hidden
/// one: `behind` are its output and the dropout then.
fn bias_gradient(
    gpu: &Gpu,
    vectors: &Vectors,
    layer: &Layer,
    gradient: Pointer,
    [output, dropout]: [Pointer; 2],
) -> Result<()> {
    let Product { rows, columns, .. } = layer.product;
    let bias = vectors.gradient(layer.bias);
    launch!(gpu, "bias_gradient", [columns, 1], gradient, output, dropout, rows, columns, bias)
}
