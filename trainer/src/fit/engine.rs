//! What computes the steps: the CPU, or a GPU.

#[cfg(feature = "cuda")]
mod cuda;

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::batch::Batch;
use super::loss::Targets;
use super::step::Done;
use crate::device::Device;
use crate::network::Network;
use crate::optimizer::{AdamW, Rates};

/// A network in training, where it is trained.
#[derive(Debug)]
pub(super) enum Engine {
    /// On the CPU.
    Cpu(Box<Cpu>),
    /// On a GPU, which has the optimizer's state, too.
    #[cfg(feature = "cuda")]
    Cuda(Box<crate::cuda::Learner>),
}

/// The network, and what a step takes besides it.
#[derive(Debug)]
pub(super) struct Cpu {
    network: Network,
    /// Of the loss by all values of the network.
    gradient: Vec<f32>,
    decays: Vec<bool>,
}

impl Engine {
    /// To train `network` on that device in batches of so many images.
    pub(super) fn new(device: Device, network: Network, images: usize, targets: &Targets) -> Result<Self> {
        let decays = network.parts().iter().flat_map(|part| std::iter::repeat_n(part.decays, part.len()));
        let decays: Vec<bool> = decays.skip(network.frozen_values()).collect();
        match device {
            Device::Cpu => {
                let gradient = vec![0.0; network.parameter_count()];
                Ok(Self::Cpu(Box::new(Cpu { network, gradient, decays })))
            }
            #[cfg(feature = "cuda")]
            Device::Cuda(precision) => {
                let temperature = targets.temperature();
                let learner = crate::cuda::Learner::new(&network, images, &decays, temperature, precision)?;
                Ok(Self::Cuda(Box::new(learner)))
            }
            #[cfg(not(feature = "cuda"))]
            Device::Cuda(_) => {
                let _ = (images, targets);
                Err(Device::without_cuda())
            }
        }
    }

    /// One step of `optimizer`.
    pub(super) fn step(
        &mut self,
        optimizer: &mut AdamW,
        targets: &Targets,
        batch: &Batch,
        rates: Rates,
    ) -> Result<Done> {
        let (loss, answers) = match self {
            Self::Cpu(cpu) => cpu.learn(targets, batch)?,
            #[cfg(feature = "cuda")]
            Self::Cuda(learner) => cuda::step(learner, targets, batch, rates)?,
        };
        ensure!(loss.is_finite(), "the loss is {loss}: try a lower learning rate");
        match self {
            Self::Cpu(cpu) => cpu.update(optimizer, rates),
            #[cfg(feature = "cuda")]
            Self::Cuda(_) => {}
        }
        let correct = answers.iter().zip(&batch.classes).filter(|(answer, class)| answer == class).count();
        Ok(Done { loss, correct })
    }

    /// Goes on from that state.
    pub(super) fn restore(&mut self, optimizer: &AdamW) -> Result<()> {
        match self {
            Self::Cpu(cpu) => cpu.network.trained_mut().copy_from_slice(&optimizer.values),
            #[cfg(feature = "cuda")]
            Self::Cuda(learner) => learner.restore(optimizer)?,
        }
        Ok(())
    }

    /// Brings `optimizer` to the present state, where that is elsewhere.
    pub(super) fn fetch(&self, optimizer: &mut AdamW) -> Result<()> {
        match self {
            Self::Cpu(cpu) => debug_assert!(cpu.network.trained() == optimizer.values),
            #[cfg(feature = "cuda")]
            Self::Cuda(learner) => learner.fetch(optimizer)?,
        }
        Ok(())
    }
}

impl Cpu {
    /// Loss and answers of a batch; the gradient is left in `self`.
    fn learn(&mut self, targets: &Targets, batch: &Batch) -> Result<(f64, Vec<u32>)> {
        let loss = |logits: &Tensor| targets.loss(logits, &batch.classes, batch.taught.as_ref());
        let learnt = self.network.learn(&batch.pictures, &batch.dropout, loss, &mut self.gradient)?;
        Ok((learnt.loss.into(), learnt.logits.argmax(1)?.to_vec1()?))
    }

    fn update(&mut self, optimizer: &mut AdamW, rates: Rates) {
        optimizer.step(&self.gradient[self.network.frozen_values()..], &self.decays, rates);
        self.network.trained_mut().copy_from_slice(&optimizer.values);
    }
}

#[cfg(all(test, feature = "cuda"))]
mod tests;
