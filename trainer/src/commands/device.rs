//! The options that say what computes the steps of training.

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use trainer::device::{Device, Precision};

/// See [`Where::device`].
#[derive(Debug, Args)]
pub(super) struct Where {
    /// What computes the steps: the CPU, or an NVIDIA GPU, for which trainer has to be built with --features cuda.
    #[arg(long, value_enum, default_value_t = Kind::Cpu)]
    device: Kind,
    /// In what a GPU stores activations and multiplies [default: bf16].
    #[arg(long, value_enum)]
    precision: Option<Bits>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Cpu,
    Cuda,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Bits {
    F32,
    Bf16,
    F16,
}

impl Where {
    /// What the options say; whether it is there [`Device::check`] knows.
    pub(super) fn device(&self) -> Result<Device> {
        let precision = self.precision.map(|precision| match precision {
            Bits::F32 => Precision::F32,
            Bits::Bf16 => Precision::Bf16,
            Bits::F16 => Precision::F16,
        });
        ensure!(
            self.device == Kind::Cuda || precision.is_none(),
            "--precision is for a GPU: pass --device cuda"
        );
        Ok(match self.device {
            Kind::Cpu => Device::Cpu,
            Kind::Cuda => Device::Cuda(precision.unwrap_or_default()),
        })
    }
}
