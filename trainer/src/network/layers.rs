//! The network's parameters: sizes, names, first values.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::ops::batch_norm::Statistics;
use crate::ops::chain::Layer;
use crate::ops::expansion::Sizes;
use crate::ops::features::Features;
use crate::ops::geometry::{Geometry, KERNEL, TAPS};
use crate::ops::inverted_residual::BlockShape;
use crate::ops::patches::patch_len;
use mobilenet::{Architecture, Dense};

/// A named part of the network's values.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its name in the safetensors file.
    pub(crate) name: String,
    /// Its shape there.
    pub(crate) shape: Vec<usize>,
    /// Whether it is a weight: only those decay.
    pub(crate) decays: bool,
    first: First,
}

impl Part {
    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

/// How values begin.
#[derive(Clone, Copy, Debug)]
enum First {
    /// All the same.
    Constant(f32),
    /// Uniform with variance 2 / fans (Glorot and Bengio, 2010), as Keras begins.
    Random {
        /// Inputs and outputs of the kernel together.
        fans: usize,
    },
}

/// The layers' sizes; the first takes the stem as its expansion.
pub(super) fn layers(architecture: &Architecture, stem: &Geometry) -> Vec<Layer> {
    let (mut height, mut width) = (stem.out_height, stem.out_width);
    let mut layers = Vec::new();
    let mut channels = 0;
    for (index, block) in architecture.blocks().iter().enumerate() {
        let geometry = Geometry::new(height, width, block.stride);
        (height, width, channels) = (geometry.out_height, geometry.out_width, block.output);
        let (k, stride) = match index {
            0 => (TAPS * architecture.channels, patch_len(architecture.channels)),
            _ => (block.input, block.input),
        };
        layers.push(Layer::Block(BlockShape {
            expansion: Sizes { k, stride, n: block.middle() },
            output: block.output,
            geometry,
            residual: block.residual(),
        }));
    }
    layers.push(Layer::Features(Features { height, width, k: channels, n: architecture.last_channels() }));
    layers
}

/// Mean 0 and variance 1 for every batch normalisation of every layer.
pub(super) fn unit_statistics(layers: &[Layer]) -> Vec<Vec<Statistics>> {
    let unit = |channels: usize| Statistics { mean: vec![0.0; channels], variance: vec![1.0; channels] };
    let statistics = |layer: &Layer| match layer {
        Layer::Block(shape) => [shape.expansion.n, shape.expansion.n, shape.output].map(unit).to_vec(),
        Layer::Features(features) => vec![unit(features.n)],
    };
    layers.iter().map(statistics).collect()
}

/// Names of the three convolutions of block `index`.
pub(super) fn convolutions(index: usize) -> [String; 3] {
    let expand = if index == 0 { "stem".to_owned() } else { format!("blocks.{index}.expand") };
    [expand, format!("blocks.{index}.depthwise"), format!("blocks.{index}.project")]
}

/// The parts of all values in their order: those of the layers, then weight and bias of each dense layer.
pub(super) fn parts(architecture: &Architecture, layers: &[Layer]) -> Vec<Part> {
    let mut parts: Vec<Part> =
        layers.iter().enumerate().flat_map(|(index, layer)| layer_parts(index, layer)).collect();
    for Dense { name, inputs, units } in architecture.dense_layers() {
        parts.push(Part {
            name: format!("{name}.weight"),
            shape: vec![inputs, units],
            decays: true,
            first: First::Random { fans: inputs + units },
        });
        parts.push(constant(&format!("{name}.bias"), units, 0.0));
    }
    parts
}

/// First values, drawn from `seed`.
pub(super) fn first_values(parts: &[Part], seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut values = Vec::with_capacity(parts.iter().map(Part::len).sum());
    for part in parts {
        let bound = |fans: usize| (6.0 / fans as f32).sqrt();
        values.extend((0..part.len()).map(|_| match part.first {
            First::Constant(value) => value,
            First::Random { fans } => rng.random_range(-bound(fans)..bound(fans)),
        }));
    }
    values
}

/// The parts of one layer in the order in which it packs them.
fn layer_parts(index: usize, layer: &Layer) -> Vec<Part> {
    match layer {
        Layer::Block(BlockShape { expansion: Sizes { k, n, .. }, output, .. }) => {
            let (k, n, output) = (*k, *n, *output);
            let [expand, depthwise, project] = convolutions(index);
            let (shape, fans) = match index {
                0 => (vec![KERNEL, KERNEL, k / TAPS, n], k + TAPS * n),
                _ => (vec![k, n], k + n),
            };
            // Batch normalisation makes the scale of a kernel irrelevant, except that large kernels learn slowly. Keras
            // counts a depthwise kernel's channels as inputs, and begins with small ones.
            [
                normalised(&expand, shape, fans),
                normalised(&depthwise, vec![3, 3, n], TAPS * n + TAPS),
                normalised(&project, vec![n, output], n + output),
            ]
            .concat()
        }
        Layer::Features(Features { k, n, .. }) => normalised("last", vec![*k, *n], k + n),
    }
}

/// A convolution's weights with the gamma and beta of its normalisation.
fn normalised(name: &str, shape: Vec<usize>, fans: usize) -> Vec<Part> {
    let channels = shape[shape.len() - 1];
    let weight = Part { name: format!("{name}.weight"), shape, decays: true, first: First::Random { fans } };
    vec![
        weight,
        constant(&format!("{name}.gamma"), channels, 1.0),
        constant(&format!("{name}.beta"), channels, 0.0),
    ]
}

fn constant(name: &str, length: usize, value: f32) -> Part {
    Part { name: name.to_owned(), shape: vec![length], decays: false, first: First::Constant(value) }
}
