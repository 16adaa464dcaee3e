//! All layers up to the pooled features as one candle operator, so that activations and gradients stay in buffers that
//! are used again with every step.

use std::sync::{Arc, Mutex, MutexGuard};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Storage, Tensor, bail};

use super::Fixed;
use super::batch_norm::Statistics;
use super::features::{Features, FeaturesState};
use super::inverted_residual::{BlockShape, BlockState};

/// One layer of a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layer {
    /// An inverted residual, `[images, height, width, stride]` to `[images, out_height, out_width, output]`.
    Block(BlockShape),
    /// The last convolution and the average over each image, `[images, height, width, k]` to `[images, n]`.
    Features(Features),
}

impl Layer {
    /// Number of packed parameters.
    pub(crate) fn parameters(&self) -> usize {
        match self {
            Self::Block(shape) => shape.parts().iter().sum(),
            Self::Features(features) => features.parameters(),
        }
    }

    fn output(&self, images: usize) -> Shape {
        match self {
            Self::Block(BlockShape { geometry, output, .. }) => {
                (images, geometry.out_height, geometry.out_width, *output).into()
            }
            Self::Features(features) => (images, features.n).into(),
        }
    }

    /// Height, width and channels of the input.
    fn input(&self) -> (usize, usize, usize) {
        match self {
            Self::Block(shape) => (shape.geometry.height, shape.geometry.width, shape.expansion.stride),
            Self::Features(features) => (features.height, features.width, features.k),
        }
    }
}

/// A layer with what it keeps from step to step, and its output.
#[derive(Debug)]
struct Link {
    stage: Stage,
    output: Vec<f32>,
}

#[derive(Debug)]
enum Stage {
    Block(BlockShape, Box<BlockState>),
    Features(Features, FeaturesState),
}

impl Link {
    fn new(layer: Layer) -> Self {
        let stage = match layer {
            Layer::Block(shape) => Stage::Block(shape, Box::default()),
            Layer::Features(features) => Stage::Features(features, FeaturesState::default()),
        };
        Self { stage, output: Vec::new() }
    }

    fn layer(&self) -> Layer {
        match &self.stage {
            Stage::Block(shape, _) => Layer::Block(*shape),
            Stage::Features(features, _) => Layer::Features(*features),
        }
    }
}

/// The layers' memory. It belongs to the network, and every [`Chain`] works in it.
#[derive(Debug)]
pub(crate) struct ChainState {
    /// Counts forward passes, so that a gradient is never computed from another pass' values.
    pass: u64,
    links: Vec<Link>,
    /// The gradients of a layer's output and input.
    gradients: [Vec<f32>; 2],
}

impl ChainState {
    /// For these layers, each taking what the one before gives.
    pub(crate) fn new(layers: &[Layer]) -> Self {
        let links = layers.iter().map(|&layer| Link::new(layer)).collect();
        Self { pass: 0, links, gradients: Default::default() }
    }

    /// The statistics of the last pass, for each layer those of its batch normalisations.
    pub(crate) fn statistics(&self) -> Vec<Vec<Statistics>> {
        let statistics = |link: &Link| match &link.stage {
            Stage::Block(_, state) => state.statistics(),
            Stage::Features(_, state) => state.statistics(),
        };
        self.links.iter().map(statistics).collect()
    }

    /// Number of parameters of so many leading layers.
    pub(crate) fn parameters(&self, layers: usize) -> usize {
        self.links[..layers].iter().map(|link| link.layer().parameters()).sum()
    }

    fn forward(&mut self, fixed: &Fixed, x: &[f32], images: usize, mut packed: &[f32]) {
        for index in 0..self.links.len() {
            let (before, rest) = self.links.split_at_mut(index);
            let x = before.last().map_or(x, |link| &link.output);
            let (parameters, others) = packed.split_at(rest[0].layer().parameters());
            packed = others;
            let Link { stage, output } = &mut rest[0];
            let fixed = fixed.layer(index);
            match stage {
                Stage::Block(shape, state) => shape.forward(fixed, x, images, parameters, state, output),
                Stage::Features(features, state) => {
                    features.forward(fixed, x, images, parameters, state, output);
                }
            }
        }
    }

    /// Returns the gradient of the packed parameters, of which those of the `fixed` first layers stay 0; that of the input of
    /// the first layer that is trained, if it has one, is left in `gradients[0]`.
    fn backward(
        &mut self,
        fixed: usize,
        x: &[f32],
        images: usize,
        packed: &[f32],
        gradient: &[f32],
    ) -> Vec<f32> {
        let [current, next] = &mut self.gradients;
        current.clear();
        current.extend_from_slice(gradient);
        let mut result = vec![0.0; packed.len()];
        let mut end = packed.len();
        for index in (fixed..self.links.len()).rev() {
            let (before, rest) = self.links.split_at_mut(index);
            let x = before.last().map_or(x, |link| &link.output);
            let start = end - rest[0].layer().parameters();
            let parameters = &packed[start..end];
            let part = match &mut rest[0].stage {
                Stage::Block(shape, state) => shape.backward(x, images, parameters, current, state, next),
                Stage::Features(features, state) => {
                    features.backward(x, images, parameters, current, state, next)
                }
            };
            result[start..end].copy_from_slice(&part);
            end = start;
            std::mem::swap(current, next);
        }
        result
    }
}

/// The operator: `x` is the first layer's input, the second argument all layers' packed parameters one after the
/// other. Whether `x` gets a gradient is the first layer's matter: a picture's patches need none.
pub(crate) struct Chain {
    fixed: Fixed,
    state: Arc<Mutex<ChainState>>,
    pass: Mutex<u64>,
}

impl Chain {
    /// One application of the layers in `state`.
    pub(crate) fn new(fixed: Fixed, state: Arc<Mutex<ChainState>>) -> Self {
        Self { fixed, state, pass: Mutex::new(0) }
    }
}

/// A panic in another thread leaves only values that the next pass writes anew.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl CustomOp2 for Chain {
    fn name(&self) -> &'static str {
        "chain"
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
        let mut state = lock(&self.state);
        let (images, height, width, channels) = x_layout.shape().dims4()?;
        let Some(first) = state.links.first() else { bail!("chain: no layers") };
        let expected = first.layer().input();
        if (height, width, channels) != expected {
            bail!("chain: input {height}x{width}x{channels}, expected {expected:?}");
        }
        let expected = state.parameters(state.links.len());
        if packed.len() != expected {
            bail!("chain: {} parameters, expected {expected}", packed.len());
        }
        state.pass += 1;
        *lock(&self.pass) = state.pass;
        state.forward(&self.fixed, x, images, packed);
        let last = &state.links[state.links.len() - 1];
        Ok((CpuStorage::F32(last.output.clone()), last.layer().output(images)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        packed: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut state = lock(&self.state);
        if state.pass != *lock(&self.pass) {
            bail!("chain: no gradient, the layers have worked again since");
        }
        let fixed = self.fixed.layers();
        if fixed == state.links.len() {
            return Ok((None, None));
        }
        let images = x.dim(0)?;
        let gradient = gradient.contiguous()?;
        let packed_gradient = with_values(x, |x| {
            with_values(packed, |packed| {
                with_values(&gradient, |gradient| Ok(state.backward(fixed, x, images, packed, gradient)))
            })
        })?;
        let dx = &state.gradients[0];
        let dx = match fixed == 0 && dx.len() == x.elem_count() {
            true => Some(Tensor::from_slice(dx, x.shape(), x.device())?),
            false => None,
        };
        Ok((dx, Some(Tensor::from_vec(packed_gradient, packed.shape(), packed.device())?)))
    }
}

/// The values of a contiguous f32 storage.
fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("expected a contiguous tensor"),
    }
}

/// Calls `f` with the values of a contiguous f32 tensor on the CPU.
fn with_values<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(contiguous(storage, layout)?),
        _ => bail!("expected a tensor on the CPU"),
    }
}
