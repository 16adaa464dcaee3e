//! All layers up to the pooled features, forward and backward. Activations and gradients stay in buffers that are used
//! again with every step.

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

    fn parameters(&self) -> usize {
        match &self.stage {
            Stage::Block(shape, _) => Layer::Block(*shape),
            Stage::Features(features, _) => Layer::Features(*features),
        }
        .parameters()
    }
}

/// What the layers take: a batch of the first one's input, and all layers' packed parameters one after the other; what
/// follows them is not theirs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    /// `[images, height, width, stride]`.
    pub(crate) x: &'a [f32],
    /// Pictures in the batch.
    pub(crate) images: usize,
    /// The parameters.
    pub(crate) packed: &'a [f32],
}

/// The layers, each taking what the one before gives, and their memory.
#[derive(Debug)]
pub(crate) struct Chain {
    links: Vec<Link>,
    /// The gradients of a layer's output and input.
    gradients: [Vec<f32>; 2],
}

impl Chain {
    /// Of these layers.
    pub(crate) fn new(layers: &[Layer]) -> Self {
        let links = layers.iter().map(|&layer| Link::new(layer)).collect();
        Self { links, gradients: Default::default() }
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
        self.links[..layers].iter().map(Link::parameters).sum()
    }

    /// The last layer's output. `fixed` are the statistics of the batch normalisations of the leading layers that are not
    /// trained: of none in training, of all in evaluation. The other layers use the batch's.
    pub(crate) fn forward(&mut self, fixed: &[Vec<Statistics>], input: Input<'_>) -> &[f32] {
        in_pool(|| self.pass(fixed, input));
        self.links.last().map_or(&[], |link| &link.output)
    }

    fn pass(&mut self, fixed: &[Vec<Statistics>], input: Input<'_>) {
        let Input { images, mut packed, .. } = input;
        for index in 0..self.links.len() {
            let (before, rest) = self.links.split_at_mut(index);
            let x = before.last().map_or(input.x, |link| &link.output);
            let (parameters, others) = packed.split_at(rest[0].parameters());
            packed = others;
            let Link { stage, output } = &mut rest[0];
            let fixed = fixed.get(index).map(Vec::as_slice);
            match stage {
                Stage::Block(shape, state) => shape.forward(fixed, x, images, parameters, state, output),
                Stage::Features(features, state) => {
                    features.forward(fixed, x, images, parameters, state, output);
                }
            }
        }
    }

    /// After [`Chain::forward`] of the same input: from `gradient`, that of the output, to `result`, that of the packed
    /// parameters, of which those of the `fixed` first layers are left as they were.
    pub(crate) fn backward(&mut self, fixed: usize, input: Input<'_>, gradient: &[f32], result: &mut [f32]) {
        in_pool(|| self.pass_back(fixed, input, gradient, result));
    }

    fn pass_back(&mut self, fixed: usize, input: Input<'_>, gradient: &[f32], result: &mut [f32]) {
        let mut end = self.parameters(self.links.len());
        assert_eq!(result.len(), end);
        let [current, next] = &mut self.gradients;
        current.clear();
        current.extend_from_slice(gradient);
        for index in (fixed..self.links.len()).rev() {
            let (before, rest) = self.links.split_at_mut(index);
            let x = before.last().map_or(input.x, |link| &link.output);
            let start = end - rest[0].parameters();
            let (parameters, result) = (&input.packed[start..end], &mut result[start..end]);
            match &mut rest[0].stage {
                Stage::Block(shape, state) => {
                    shape.backward(x, input.images, parameters, current, state, next, result);
                }
                Stage::Features(features, state) => {
                    features.backward(x, input.images, parameters, current, state, next, result);
                }
            }
            end = start;
            std::mem::swap(current, next);
        }
    }

    /// The gradient of the first layer's input after [`Chain::backward`]; a picture has none.
    #[cfg(test)]
    pub(crate) fn input_gradient(&self) -> &[f32] {
        &self.gradients[0]
    }
}

/// Runs `f` on a thread of the pool: from there, the many short parallel parts begin without waking anyone up.
fn in_pool(f: impl FnOnce() + Send) {
    rayon::scope(|_| f());
}
