//! Where training computes.

use anyhow::Result;

/// What computes the steps of training. Everything else, as preparing pictures and evaluation, is the CPU's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// All cores of the CPU: the same seed gives the same bits.
    #[default]
    Cpu,
    /// The first NVIDIA GPU.
    Cuda(Precision),
}

/// In what a GPU stores activations and multiplies; weights, statistics and sums are f32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits with the range of f32.
    #[default]
    Bf16,
    /// 16 bits with more digits and less range: the loss is scaled so that gradients stay in it.
    F16,
}

impl Device {
    /// Whether this program can train on it here.
    ///
    /// # Errors
    /// For a GPU if the program is built without the feature `cuda`, or if CUDA or a GPU that can is missing: says what, and what
    /// to do.
    pub fn check(self) -> Result<()> {
        match self {
            Self::Cpu => Ok(()),
            #[cfg(feature = "cuda")]
            Self::Cuda(precision) => crate::cuda::check(precision),
            #[cfg(not(feature = "cuda"))]
            Self::Cuda(_) => Err(Self::without_cuda()),
        }
    }

    /// What is said where a GPU is asked for and this program knows none.
    #[cfg(not(feature = "cuda"))]
    pub(crate) fn without_cuda() -> anyhow::Error {
        anyhow::anyhow!(
            "this trainer was built without CUDA: train with --device cpu, or build it with the feature, as \
             cargo run --release -p trainer --features cuda -- fit --device cuda"
        )
    }
}
