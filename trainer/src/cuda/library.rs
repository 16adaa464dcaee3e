//! CUDA's libraries, found when training begins, and what to say where one is missing.

use anyhow::{Context, Result, anyhow, bail, ensure};
use cudarc::driver::CudaContext;
use cudarc::nvrtc::{CompileError, CompileOptions, Ptx, compile_ptx_with_opts};
use cudarc::{cublas, driver, nvrtc};
use std::sync::Arc;

use crate::device::Precision;
use crate::optimizer::{BETA1, BETA2, EPSILON};

/// Steps without an overflow after which the loss is multiplied by twice as much.
const SCALE_STEPS: u32 = 2000;

/// The kernels' text, of which each part uses those before it.
macro_rules! parts {
    ($($name:literal),+) => {
        concat!($("#line 1 \"", $name, "\"\n", include_str!(concat!("kernels/", $name))),+)
    };
}
const KERNELS: &str = parts!(
    "base.cu",
    "sums.cu",
    "statistics.cu",
    "gradients.cu",
    "convolutions.cu",
    "optimizer.cu",
    "head.cu"
);

/// The oldest GPUs that CUDA 12 and 13 both make code for, and the oldest that compute in bf16.
const OLDEST: (i32, i32) = (7, 5);
const OLDEST_BF16: (i32, i32) = (8, 0);

/// The first GPU, once everything that training needs is there.
pub(super) fn context(precision: Precision) -> Result<Arc<CudaContext>> {
    const INSTEAD: &str = "or train with --device cpu";
    // SAFETY: libraries of these names are CUDA's, which may be loaded at any time.
    let [driver, nvrtc, cublas] = unsafe {
        [driver::sys::is_culib_present(), nvrtc::sys::is_culib_present(), cublas::sys::is_culib_present()]
    };
    ensure!(
        driver,
        "no NVIDIA driver: libcuda.so.1 was not found. Install the driver, so that nvidia-smi shows a GPU, {INSTEAD}"
    );
    for (found, name, file) in [(nvrtc, "NVRTC", "libnvrtc.so.12"), (cublas, "cuBLAS", "libcublas.so.12")] {
        ensure!(
            found,
            "no {name}: {file} was not found. Install CUDA 12 (its runtime libraries are enough), put the folder that \
             holds {file} into LD_LIBRARY_PATH, {INSTEAD}"
        );
    }
    let context = CudaContext::new(0).map_err(|error| {
        anyhow!("no GPU: CUDA says {error}. Look whether nvidia-smi shows one, {INSTEAD}")
    })?;
    let capability = context.compute_capability().context("cannot ask the GPU what it is")?;
    let (major, minor) = capability;
    ensure!(
        capability >= OLDEST,
        "the GPU is of compute capability {major}.{minor}, and training needs 7.5 or higher: take a newer GPU, {INSTEAD}"
    );
    ensure!(
        precision != Precision::Bf16 || capability >= OLDEST_BF16,
        "the GPU is of compute capability {major}.{minor}, and bf16 needs 8.0 or higher: pass --precision f16 or f32"
    );
    Ok(context)
}

/// The kernels for a GPU of that capability.
pub(super) fn kernels(precision: Precision, capability: (i32, i32)) -> Result<Ptx> {
    let number = match precision {
        Precision::F32 => 0,
        Precision::Bf16 => 1,
        Precision::F16 => 2,
    };
    let options = CompileOptions {
        // The driver makes code for newer GPUs of it.
        arch: Some(if capability >= OLDEST_BF16 { "compute_80" } else { "compute_75" }),
        options: vec![
            format!("-DPRECISION={number}"),
            format!("-DBETA1={BETA1:?}f"),
            format!("-DBETA2={BETA2:?}f"),
            format!("-DADAM_EPSILON={EPSILON:?}f"),
            format!("-DSCALE_STEPS={SCALE_STEPS}"),
        ],
        ..CompileOptions::default()
    };
    match compile_ptx_with_opts(KERNELS, options) {
        Ok(kernels) => Ok(kernels),
        Err(CompileError::CompileError { log, .. }) => {
            bail!("NVRTC does not compile the kernels: {}", log.to_string_lossy())
        }
        Err(error) => bail!("NVRTC fails: {error:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where there is NVRTC, which needs no GPU: what compiles for the emulator may not compile for a GPU.
    #[test]
    fn nvrtc_compiles_the_kernels() {
        // SAFETY: as in `context`.
        if !unsafe { nvrtc::sys::is_culib_present() } {
            eprintln!("skipped: NVRTC is missing on this machine");
            return;
        }
        for (precision, capability) in [
            (Precision::F32, OLDEST),
            (Precision::F16, OLDEST),
            (Precision::F32, OLDEST_BF16),
            (Precision::Bf16, OLDEST_BF16),
            (Precision::F16, OLDEST_BF16),
        ] {
            let kernels = kernels(precision, capability).unwrap();
            assert!(kernels.to_src().contains("depthwise"), "{precision:?}");
        }
    }
}
