//! Kernels for x86-64: AVX-512 with VNNI.

mod avx512;
mod detect;

pub(crate) use avx512::Avx512Vnni;
pub(super) use detect::has_avx512_vnni;
