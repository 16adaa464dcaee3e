//! The arithmetic of each operator.
//!
//! A *kernel set* is one implementation of [`Kernels`]. Its type is a token: there is a value of it only where the processor
//! runs the set, so that no safe code can call what the processor has not. [`KernelSet`] hands them out. The scalar set is
//! the oracle: any other must give the same bits.

#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(target_pointer_width = "64")))]
compile_error!(
    "the assembly for x86-64 and AArch64 has 64-bit addresses: build for a target that has them too"
);

pub(crate) mod arithmetic;
#[cfg(arm_dsp)]
#[allow(unsafe_code)]
pub(crate) mod dsp;
#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
#[allow(unsafe_code)]
#[allow(clippy::needless_range_loop, reason = "iterators over registers would send them through memory")]
pub(crate) mod neon;
mod patch;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    target_feature = "simd128"
))]
#[allow(unsafe_code)]
mod patches;
#[cfg(not(device))]
mod probe;
mod rows;
pub(crate) mod scalar;
pub(crate) mod set;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    target_feature = "simd128",
    arm_dsp
))]
mod shapes;
#[cfg(target_feature = "simd128")]
#[allow(unsafe_code)]
#[allow(clippy::needless_range_loop, reason = "iterators over registers would send them through memory")]
pub(crate) mod wasm;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[allow(clippy::needless_range_loop, reason = "iterators over registers would send them through memory")]
pub(crate) mod x86;

pub(crate) use arithmetic::{Kernels, each_row};
#[cfg(not(device))]
pub use probe::Probe;
pub(crate) use rows::Rows;
pub use set::{KernelSet, NotHere};
pub(crate) use set::{Which, of_set, which};
