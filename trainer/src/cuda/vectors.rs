//! The network's values on the GPU, with their gradients and the optimizer's state.

use anyhow::{Result, ensure};

use super::gpu::{Gpu, Pointer, blocks, launch};
use crate::device::Precision;
use crate::optimizer::AdamW;

/// What the loss is multiplied by at first, where gradients have to fit into f16; overflows make it smaller.
const FIRST_SCALE: f32 = 65536.0;
/// Words of `State` in `kernels/optimizer.cu`.
const STATE: usize = 11;
/// Where it has steps, scale and the inverse of the last step's scale.
const STEPS: usize = 0;
const SCALE: usize = 4;
#[cfg(test)]
const INVERSE_SCALE: usize = 5;

/// All vectors. Those of the optimizer are of the trained values only, which are the last.
#[derive(Debug)]
pub(super) struct Vectors {
    /// Bytes of a value in `work`.
    size: usize,
    count: usize,
    frozen: usize,
    values: Pointer,
    /// The values as products take them.
    work: Pointer,
    gradients: Pointer,
    first: Pointer,
    second: Pointer,
    averaged: Pointer,
    decays: Pointer,
    /// Steps, scale, and what the present step takes.
    pub(super) state: Pointer,
}

impl Vectors {
    /// For a network of these values, of which so many first ones are not trained; `decays` says which of the others decay.
    pub(super) fn new(gpu: &mut Gpu, values: &[f32], frozen: usize, decays: &[bool]) -> Result<Self> {
        let (count, trained) = (values.len(), values.len() - frozen);
        ensure!(decays.len() == trained, "{} values decay or not, expected {trained}", decays.len());
        let on_gpu = gpu.floats(count)?;
        let work = match gpu.precision {
            Precision::F32 => on_gpu,
            Precision::Bf16 | Precision::F16 => gpu.reals(count)?,
        };
        let vectors = Self {
            size: gpu.size(),
            count,
            frozen,
            values: on_gpu,
            work,
            gradients: gpu.floats(count)?,
            first: gpu.floats(trained)?,
            second: gpu.floats(trained)?,
            averaged: gpu.floats(trained)?,
            decays: gpu.floats(trained)?,
            state: gpu.floats(STATE)?,
        };
        gpu.upload(values, vectors.values)?;
        let decays: Vec<f32> = decays.iter().map(|&decays| f32::from(u8::from(decays))).collect();
        gpu.upload(&decays, vectors.decays)?;
        vectors.restore(gpu, &AdamW::new(values[frozen..].to_vec()))?;
        Ok(vectors)
    }

    /// The value at `offset`.
    pub(super) fn value(&self, offset: usize) -> Pointer {
        self.values.add(offset, 4)
    }

    /// The value at `offset`, as products take it.
    pub(super) fn work(&self, offset: usize) -> Pointer {
        self.work.add(offset, self.size)
    }

    /// Where the gradient of the value at `offset` goes.
    pub(super) fn gradient(&self, offset: usize) -> Pointer {
        self.gradients.add(offset, 4)
    }

    /// Takes over the optimizer's state. The loss' scale begins anew: f16 may leave out a few steps until it fits again.
    pub(super) fn restore(&self, gpu: &Gpu, optimizer: &AdamW) -> Result<()> {
        let AdamW { steps, values, first, second, averaged } = optimizer;
        let trained = self.value(self.frozen);
        let vectors =
            [(values, trained), (first, self.first), (second, self.second), (averaged, self.averaged)];
        for (values, to) in vectors {
            gpu.upload(values, to)?;
        }
        let mut state = [0u32; STATE];
        state[STEPS] = u32::try_from(*steps)?;
        let scaled = gpu.precision == Precision::F16;
        state[SCALE] = if scaled { FIRST_SCALE } else { 1.0 }.to_bits();
        gpu.upload(&state, self.state)?;
        match gpu.precision {
            Precision::F32 => Ok(()),
            Precision::Bf16 | Precision::F16 => {
                launch!(gpu, "shorten", blocks(self.count), self.values, self.count, self.work)
            }
        }
    }

    /// Gives `optimizer` the state as it is now.
    pub(super) fn fetch(&self, gpu: &Gpu, optimizer: &mut AdamW) -> Result<()> {
        let AdamW { steps, values, first, second, averaged } = optimizer;
        let trained = self.value(self.frozen);
        let vectors =
            [(values, trained), (first, self.first), (second, self.second), (averaged, self.averaged)];
        for (values, from) in vectors {
            gpu.download(from, values)?;
        }
        let mut state = [0u32; STATE];
        gpu.download(self.state, &mut state)?;
        *steps = state[STEPS].into();
        Ok(())
    }

    /// The optimizer's step, at the rates that lie there.
    pub(super) fn step(&self, gpu: &Gpu, rates: Pointer) -> Result<()> {
        let (trained, gradients) = (self.count - self.frozen, self.gradient(self.frozen));
        if gpu.precision == Precision::F16 {
            launch!(gpu, "find_overflow", blocks(trained), gradients, trained, self.state)?;
        }
        launch!(gpu, "advance", [1, 1], rates, self.state)?;
        launch!(
            gpu,
            "adamw",
            blocks(trained),
            gradients,
            self.decays,
            trained,
            self.state,
            self.value(self.frozen),
            self.first,
            self.second,
            self.averaged,
            self.work(self.frozen),
        )
    }

    /// The last step's gradients, of all values; those of values that are not trained mean nothing.
    #[cfg(test)]
    pub(super) fn gradients(&self, gpu: &Gpu) -> Result<Vec<f32>> {
        let mut gradients = vec![0f32; self.count];
        gpu.download(self.gradients, &mut gradients)?;
        let mut state = [0u32; STATE];
        gpu.download(self.state, &mut state)?;
        let inverse = f32::from_bits(state[INVERSE_SCALE]);
        Ok(gradients.into_iter().map(|gradient| gradient * inverse).collect())
    }
}
