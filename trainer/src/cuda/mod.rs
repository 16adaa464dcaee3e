//! Training on an NVIDIA GPU: the whole step there, by kernels of its own ([`gpu`] loads them) and cuBLAS' products.
//!
//! Weights, moments and averages are f32, activations and what products take are of the chosen precision, and all sums are f32.
//! The first step is launched kernel by kernel; as a graph, which the others are, it costs the host next to nothing. Nothing of
//! CUDA is needed to build this: its libraries are looked for when training begins.
//!
//! A batch of 128 small pictures leaves a GPU idle between launches, so the kernels do as much at once as they can: a
//! depthwise convolution normalises its input while it reads it and takes the statistics of its output, backward it masks and
//! sums; other normalisations take one pass for their sums and one to be applied.

mod block;
mod gpu;
mod head;
mod input;
mod library;
mod norm;
mod product;
mod vectors;

use anyhow::{Result, bail, ensure};

use crate::device::Precision;
use crate::network::Network;
use crate::ops::chain::Layer;
use crate::ops::patches::patch_len;
use crate::optimizer::AdamW;
use block::{Block, Needs, Scratch};
use gpu::{Gpu, Graph, Pointer, Shape, blocks, launch};
use head::Head;
pub(crate) use input::Step;
use input::{Input, Sizes};
use vectors::Vectors;

/// Whether there is a GPU for that precision, and all that it needs.
pub(crate) fn check(precision: Precision) -> Result<()> {
    library::context(precision).map(drop)
}

/// A network in training on a GPU.
#[derive(Debug)]
pub(crate) struct Learner {
    images: usize,
    input: Input,
    plan: Plan,
    /// The launches of a step, once there was one.
    graph: Option<Graph>,
    /// The last, so that it outlives the graph.
    gpu: Gpu,
}

/// What a step gave, for each image.
#[derive(Debug)]
pub(crate) struct Answers {
    /// Its part of the loss.
    pub(crate) losses: Vec<f32>,
    /// The class that it was taken for.
    pub(crate) classes: Vec<u32>,
}

impl Learner {
    /// To train `network` in batches of so many images. `decays` says which trained values decay, `temperature` is the teacher's
    /// if there is one.
    ///
    /// # Errors
    /// If CUDA, a GPU or enough of its memory is missing: says what, and what to do.
    pub(crate) fn new(
        network: &Network,
        images: usize,
        decays: &[bool],
        temperature: Option<f32>,
        precision: Precision,
    ) -> Result<Self> {
        let mut gpu = Gpu::new(precision)?;
        let architecture = network.architecture();
        let targets = images * architecture.classes.len();
        let sizes = Sizes {
            pictures: images * architecture.input_shape().iter().product::<usize>(),
            dropout: images * architecture.dropout_width(),
            targets,
            soft: if temperature.is_some() { targets } else { 0 },
        };
        let input = Input::new(&mut gpu, sizes, temperature.unwrap_or(1.0))?;
        let plan = Plan::new(&mut gpu, network, images, decays)?;
        Ok(Self { images, input, plan, graph: None, gpu })
    }

    /// One step.
    pub(crate) fn step(&mut self, step: &Step<'_>) -> Result<Answers> {
        let Self { images, input, plan, graph, gpu } = self;
        input.upload(gpu, step)?;
        match graph {
            Some(graph) => graph.launch()?,
            // What CUDA and cuBLAS prepare at their first call could not be recorded.
            None => {
                plan.launch(gpu, input)?;
                *graph = Some(gpu.record(|| plan.launch(gpu, input))?);
            }
        }
        let mut losses = vec![0f32; 2 * *images];
        gpu.download(plan.head.results, &mut losses)?;
        let classes = losses.split_off(*images).into_iter().map(|class| class as u32).collect();
        Ok(Answers { losses, classes })
    }

    /// Goes on from this state.
    pub(crate) fn restore(&mut self, optimizer: &AdamW) -> Result<()> {
        self.plan.vectors.restore(&self.gpu, optimizer)
    }

    /// The last step's gradients, of all values.
    #[cfg(test)]
    pub(crate) fn gradients(&self) -> Result<Vec<f32>> {
        self.plan.vectors.gradients(&self.gpu)
    }

    /// Gives `optimizer` the state as it is now.
    pub(crate) fn fetch(&self, optimizer: &mut AdamW) -> Result<()> {
        self.plan.vectors.fetch(&self.gpu, optimizer)
    }
}

/// What a step does.
#[derive(Debug)]
struct Plan {
    vectors: Vectors,
    /// Of the stem's convolution, values of a patch, and where the patches go.
    stem: (Shape, usize, Pointer),
    patches: usize,
    blocks: Vec<Block>,
    head: Head,
    scratch: Scratch,
    /// Leading layers that are not trained.
    frozen: usize,
}

impl Plan {
    fn new(gpu: &mut Gpu, network: &Network, images: usize, decays: &[bool]) -> Result<Self> {
        let architecture = network.architecture();
        let (stem, values, fixed) = (network.stem(), network.values(), network.frozen());
        let length = patch_len(architecture.channels);
        let patches = images * stem.out_pixels() * length;
        let first = gpu.reals(patches)?;
        let vectors = Vectors::new(gpu, values, network.frozen_values(), decays)?;
        let (mut offset, mut input, mut needs) = (0, first, Needs::default());
        let mut blocks = Vec::new();
        let mut last = None;
        for (index, layer) in network.layers().into_iter().enumerate() {
            match layer {
                Layer::Block(shape) => {
                    let fixed = fixed.get(index).map(Vec::as_slice);
                    let block = Block::new(gpu, shape, images, input, values, &mut offset, fixed)?;
                    input = block.output;
                    needs = needs.and(block.needs());
                    blocks.push(block);
                }
                Layer::Features(features) => last = Some((features, fixed.get(index).map(Vec::as_slice))),
            }
        }
        let Some((features, fixed)) = last else { bail!("the network has no last convolution") };
        let dense = architecture.dense_layers();
        let head = Head::new(gpu, (features, &dense), images, input, values, offset, fixed)?;
        let Needs { outer, wide, widest } = needs.and(head.needs());
        // Kernels count rows and columns in 32 bits, values in 64.
        ensure!(
            widest.max(wide).max(patches) / 8 <= i32::MAX as usize,
            "a batch of {images} is too large for the GPU's kernels: take a smaller --batch-size"
        );
        let scratch = Scratch {
            outer: [gpu.reals(outer)?, gpu.reals(outer)?],
            thin: gpu.reals(outer)?,
            wide: gpu.reals(wide)?,
            widest: gpu.reals(widest)?,
        };
        let stem = (Shape::new(images, architecture.channels, stem), length, first);
        Ok(Self { vectors, stem, patches, blocks, head, scratch, frozen: network.frozen().len() })
    }

    /// Launches everything that a step does.
    fn launch(&self, gpu: &Gpu, input: &Input) -> Result<()> {
        let (geometry, length, patches) = self.stem;
        launch!(gpu, "patches", blocks(self.patches / 8), input.pictures, geometry, length, patches)?;
        for block in &self.blocks {
            block.forward(gpu, &self.vectors)?;
        }
        self.head.forward(gpu, &self.vectors, input)?;
        let mut scratch = self.scratch;
        self.head.backward(gpu, &self.vectors, input, scratch, self.frozen < self.blocks.len())?;
        for (index, block) in self.blocks.iter().enumerate().skip(self.frozen).rev() {
            scratch.outer = block.backward(gpu, &self.vectors, scratch, index == self.frozen)?;
        }
        self.vectors.step(gpu, input.rates)
    }
}
