//! Kernels for x86-64: AVX-512 with VNNI, and AVX2.

mod avx2;
mod avx512;
mod detect;

pub(crate) use avx2::Avx2;
pub(crate) use avx512::Avx512Vnni;
