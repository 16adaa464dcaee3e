//! A whole inverted residual as one candle operator: expansion, depthwise convolution and projection, each with batch
//! normalisation, the first two with ReLU6, and the residual connection.
//!
//! Kept between forward and backward are the depthwise convolution's output and the projection's, before their
//! normalisation. The expanded tensor exists only image by image (see [`super::expansion`]). The first block works
//! the same way: its expansion is the stem, over the picture's patches.

mod backward;
mod forward;

use std::sync::{Arc, Mutex, MutexGuard};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Storage, Tensor, bail};

use super::batch_norm::{Normalisation, Statistics};
use super::expansion::{Expansion, Sizes};
use super::geometry::{Geometry, TAPS};
use super::{CHUNKS, Mode};

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

    /// Images of a chunk, the unit of parallel work, for a batch of `images`.
    fn chunk(&self, images: usize) -> usize {
        images.div_ceil(CHUNKS)
    }

    /// Images whose expanded tensor is in the cache at a time.
    fn group(&self, images: usize) -> usize {
        /// Values that leave room for the gradient's buffers in a second-level cache.
        const CACHE: usize = 32 << 10;
        (CACHE / (self.geometry.padded_pixels() * self.expansion.n)).clamp(1, self.chunk(images))
    }

    /// Rows of the depthwise convolution's output that the projection treats at a time.
    fn projection_rows(&self) -> usize {
        (8192 / self.expansion.n).max(32)
    }
}

/// What a block keeps from step to step: buffers, and between forward and backward what the latter needs.
#[derive(Debug, Default)]
pub(crate) struct BlockState {
    /// Counts forward passes, so that a gradient is never computed from another pass' values.
    pass: u64,
    expansion: Expansion,
    depthwise_norm: Normalisation,
    project_norm: Normalisation,
    /// The depthwise convolution's output, `[images, out_height, out_width, n]`.
    convolved: Vec<f32>,
    /// The projection's output, `[images, out_height, out_width, output]`.
    projected: Vec<f32>,
    /// The gradient before the depthwise convolution's ReLU6, as `convolved`.
    gradient: Vec<f32>,
}

/// The statistics of the last pass, one for each batch normalisation.
pub(crate) fn statistics(state: &Mutex<BlockState>) -> Vec<Statistics> {
    let state = state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let norms = [&state.expansion.norm, &state.depthwise_norm, &state.project_norm];
    norms.map(|norm| norm.statistics.clone()).to_vec()
}

/// The operator: `x` is `[images, height, width, stride]`, the second argument the packed parameters.
pub(crate) struct InvertedResidual {
    shape: BlockShape,
    mode: Mode,
    state: Arc<Mutex<BlockState>>,
    pass: Mutex<u64>,
}

impl InvertedResidual {
    /// One application of a block; `state` is the block's own.
    pub(crate) fn new(shape: BlockShape, mode: Mode, state: Arc<Mutex<BlockState>>) -> Self {
        Self { shape, mode, state, pass: Mutex::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, BlockState> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn pass(&self) -> MutexGuard<'_, u64> {
        self.pass.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl CustomOp2 for InvertedResidual {
    fn name(&self) -> &'static str {
        "inverted-residual"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        packed: &CpuStorage,
        packed_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = contiguous(x, x_layout)?;
        let packed = contiguous(packed, packed_layout)?;
        let (geometry, stride) = (self.shape.geometry, self.shape.expansion.stride);
        let (images, height, width, columns) = x_layout.shape().dims4()?;
        if (height, width, columns) != (geometry.height, geometry.width, stride) {
            bail!(
                "inverted-residual: input {height}x{width}x{columns}, expected {}x{}x{stride}",
                geometry.height,
                geometry.width
            );
        }
        let expected: usize = self.shape.parts().iter().sum();
        if packed.len() != expected {
            bail!("inverted-residual: {} parameters, expected {expected}", packed.len());
        }
        let mut state = self.state();
        state.pass += 1;
        *self.pass() = state.pass;
        let parameters = self.shape.split(packed);
        let out = forward::forward(&self.shape, &self.mode, x, images, parameters, &mut state);
        let shape = (images, geometry.out_height, geometry.out_width, self.shape.output);
        Ok((CpuStorage::F32(out), shape.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        packed: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut state = self.state();
        if !matches!(self.mode, Mode::Train) || state.pass != *self.pass() {
            bail!("inverted-residual: no gradient, the block has been evaluated again or without training");
        }
        let images = x.dim(0)?;
        let gradient = gradient.contiguous()?;
        let (dx, packed_gradient) = with_values(x, |x| {
            with_values(packed, |packed| {
                with_values(&gradient, |gradient| {
                    let parameters = self.shape.split(packed);
                    Ok(backward::backward(&self.shape, x, images, parameters, gradient, &mut state))
                })
            })
        })?;
        let dx = dx.map(|dx| Tensor::from_vec(dx, x.shape(), x.device())).transpose()?;
        Ok((dx, Some(Tensor::from_vec(packed_gradient, packed.shape(), packed.device())?)))
    }
}

/// The values of a contiguous f32 storage.
pub(super) fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("expected a contiguous tensor"),
    }
}

/// Calls `f` with the values of a contiguous f32 tensor on the CPU.
pub(super) fn with_values<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(contiguous(storage, layout)?),
        _ => bail!("expected a tensor on the CPU"),
    }
}
