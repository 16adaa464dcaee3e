//! What computes the steps: the CPU, or a GPU.

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
    Cpu(Cpu),
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
                Ok(Self::Cpu(Cpu { network, gradient, decays }))
            }
            Device::Cuda(precision) => cuda(&network, images, &decays, targets, precision),
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
            Self::Cuda(learner) => {
                let [hard, soft] = targets.weighted(&batch.classes, batch.taught.as_ref())?;
                let pictures = batch.pictures.flatten_all()?.to_vec1::<f32>()?;
                let step = crate::cuda::Step {
                    pictures: &pictures,
                    dropout: &batch.dropout,
                    targets: &hard,
                    soft: &soft,
                    rates,
                };
                let answers = learner.step(&step)?;
                (answers.losses.iter().map(|&loss| f64::from(loss)).sum(), answers.classes)
            }
        };
        ensure!(loss.is_finite(), "the loss is {loss}: try a lower learning rate");
        if let Self::Cpu(cpu) = self {
            cpu.update(optimizer, rates);
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
        // The CPU's is that of `optimizer`.
        #[cfg(feature = "cuda")]
        if let Self::Cuda(learner) = self {
            learner.fetch(optimizer)?;
        }
        let _ = optimizer;
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

#[cfg(feature = "cuda")]
fn cuda(
    network: &Network,
    images: usize,
    decays: &[bool],
    targets: &Targets,
    precision: crate::device::Precision,
) -> Result<Engine> {
    let learner = crate::cuda::Learner::new(network, images, decays, targets.temperature(), precision)?;
    Ok(Engine::Cuda(Box::new(learner)))
}

#[cfg(not(feature = "cuda"))]
fn cuda(
    _: &Network,
    _: usize,
    _: &[bool],
    _: &Targets,
    precision: crate::device::Precision,
) -> Result<Engine> {
    Device::Cuda(precision).check()?;
    anyhow::bail!("this trainer was built without CUDA")
}

#[cfg(all(test, feature = "cuda"))]
mod tests;
