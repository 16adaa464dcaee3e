//! The arithmetic of each operator.
//!
//! A *kernel set* is one implementation of [`Kernels`]. [`KernelSet::best`] is the one place that chooses among
//! them. The scalar set is the oracle: any other must give the same bits.

#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(target_pointer_width = "64")))]
compile_error!(
    "the assembly for x86-64 and AArch64 has 64-bit addresses: build for a target that has them too"
);

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
#[cfg(not(target_os = "none"))]
mod probe;
mod rows;
pub mod scalar;
pub mod scratch;
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

pub use patch::gather;
#[cfg(not(target_os = "none"))]
pub use probe::Probe;
pub use rows::Rows;

use crate::operator::{Add, Constant, Convolution, Matrix, Mean, Pad, Pool, Softmax};
use crate::tensor::Tensor;
use core::ops::Range;

/// What a kernel set computes.
///
/// Slices have exactly the lengths that the operator's shapes say, channels last; the operator is one of a parsed
/// [`Model`](crate::Model). `scratch` has at least the bytes that the operator's `scratch_len` says; what they hold does
/// not matter. Every method has the scalar kernel as its default, so that a set states only what it does better.
pub trait Kernels: Sized {
    /// A matrix times each of some patches, `input` is `[patches][depth]`, `output` `[patches][outputs]`. Scratch: 2 bytes
    /// for each value of a patch, of two patches where there are more.
    fn product(op: &Matrix<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i8]) {
        let _ = scratch;
        scalar::product(op, input, output);
    }

    /// Some rows of a convolution of any window.
    fn convolution(
        op: &Convolution<'_>,
        input: Rows<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        convolve_patches::<Self>(op, input, rows, output, scratch);
    }

    /// Some rows of a depthwise convolution of any window and depth multiplier.
    fn depthwise(
        op: &Convolution<'_>,
        input: Rows<'_>,
        rows: Range<usize>,
        output: &mut [i8],
        scratch: &mut [i8],
    ) {
        let _ = scratch;
        each_row(&op.output, rows, output, |y, row| scalar::depthwise(op, input, y, row));
    }

    /// Elementwise sum in place: `values` holds the first input and takes the output. `second` is as long, or shorter and
    /// repeated.
    fn add(op: &Add, second: &[i8], values: &mut [i8]) {
        scalar::add(op, second, values);
    }

    /// Mean over height and width.
    fn mean(op: &Mean, input: &[i8], output: &mut [i8]) {
        scalar::mean(op, input, output);
    }

    /// Softmax over the channels in place: `values` holds the input and takes the output.
    fn softmax(op: &Softmax, values: &mut [i8]) {
        scalar::softmax(op, values);
    }

    /// Row `y` of a mean over a window.
    fn average_pool(op: &Pool, input: Rows<'_>, y: usize, output: &mut [i8]) {
        scalar::average_pool(op, input, y, output);
    }

    /// Row `y` of the largest values of a window.
    fn max_pool(op: &Pool, input: Rows<'_>, y: usize, output: &mut [i8]) {
        scalar::max_pool(op, input, y, output);
    }

    /// A border of zero points.
    fn pad(op: &Pad, input: &[i8], output: &mut [i8]) {
        scalar::pad(op, input, output);
    }

    /// Values from the image.
    fn constant(op: &Constant<'_>, output: &mut [i8]) {
        scalar::constant(op, output);
    }
}

/// Calls `compute` with the number and the values of each row.
pub(crate) fn each_row(
    output: &Tensor,
    rows: Range<usize>,
    values: &mut [i8],
    mut compute: impl FnMut(usize, &mut [i8]),
) {
    for (y, row) in rows.zip(values.chunks_exact_mut(output.row_len().max(1))) {
        compute(y, row);
    }
}

/// A convolution as a product: patches are gathered in the scratch bytes, as many of a row as fit.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn convolve_patches<K: Kernels>(
    op: &Convolution<'_>,
    input: Rows<'_>,
    rows: Range<usize>,
    output: &mut [i8],
    scratch: &mut [i8],
) {
    let (matrix, outputs) = (op.matrix(), usize::from(op.output.shape.channels));
    let many = scratch.len().checked_div(matrix.depth).unwrap_or(0).max(1);
    each_row(&op.output, rows, output, |y, row| {
        for (index, pixels) in row.chunks_mut(many.wrapping_mul(outputs).max(1)).enumerate() {
            let count = pixels.len().checked_div(outputs).unwrap_or(0);
            let used = scratch.get_mut(..count.wrapping_mul(matrix.depth)).unwrap_or(&mut []);
            for (pixel, patch) in used.chunks_exact_mut(matrix.depth.max(1)).enumerate() {
                gather(op, input, [y, index.wrapping_mul(many).wrapping_add(pixel)], patch);
            }
            K::product(&matrix, used, pixels, &mut []);
        }
    });
}

/// A function for the implementation of a kernel set, in a program that has code for some kinds of operators.
macro_rules! of_set {
    ($set:expr, $function:ident, $kinds:expr) => {
        match $set {
            $crate::kernels::KernelSet::Scalar => $function::<$crate::kernels::scalar::Scalar, { $kinds }>,
            #[cfg(target_arch = "x86_64")]
            $crate::kernels::KernelSet::Avx512Vnni => {
                $function::<$crate::kernels::x86::Avx512Vnni, { $kinds }>
            }
            #[cfg(target_arch = "x86_64")]
            $crate::kernels::KernelSet::Avx2 => $function::<$crate::kernels::x86::Avx2, { $kinds }>,
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            $crate::kernels::KernelSet::NeonDot => $function::<$crate::kernels::neon::NeonDot, { $kinds }>,
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            $crate::kernels::KernelSet::Neon => $function::<$crate::kernels::neon::Neon, { $kinds }>,
            #[cfg(target_feature = "simd128")]
            $crate::kernels::KernelSet::Simd128 => $function::<$crate::kernels::wasm::Simd128, { $kinds }>,
            #[cfg(arm_dsp)]
            $crate::kernels::KernelSet::Dsp => $function::<$crate::kernels::dsp::Dsp<$kinds>, { $kinds }>,
        }
    };
}
pub(crate) use of_set;

/// The kernel sets of this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelSet {
    /// Plain Rust, on every processor.
    Scalar,
    /// x86-64 with AVX-512 VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// x86-64 with AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AArch64 with the dot product instructions.
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    NeonDot,
    /// AArch64.
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    Neon,
    /// WebAssembly with 128-bit vectors.
    #[cfg(target_feature = "simd128")]
    Simd128,
    /// Cortex-M with the DSP instructions.
    #[cfg(arm_dsp)]
    Dsp,
}

impl KernelSet {
    /// All sets of this build, the fastest first.
    pub const ALL: &[Self] = &[
        #[cfg(target_arch = "x86_64")]
        Self::Avx512Vnni,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
        Self::NeonDot,
        #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
        Self::Neon,
        #[cfg(target_feature = "simd128")]
        Self::Simd128,
        #[cfg(arm_dsp)]
        Self::Dsp,
        Self::Scalar,
    ];

    /// The fastest set that this processor runs; on bare metal a constant, for the compiler too.
    #[inline]
    pub fn best() -> Self {
        Self::ALL.iter().copied().find(|set| set.is_available()).unwrap_or(Self::Scalar)
    }

    /// Whether this processor runs the set.
    #[inline]
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => !cfg!(miri) && x86::has_avx512_vnni(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => !cfg!(miri) && x86::has_avx2(),
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Self::NeonDot => !cfg!(miri) && neon::has_dot(),
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Self::Neon => !cfg!(miri),
            #[cfg(target_feature = "simd128")]
            Self::Simd128 => true,
            #[cfg(arm_dsp)]
            Self::Dsp => true,
        }
    }

    /// The set's name, as the benchmark reports it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => "avx512-vnni",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Self::NeonDot => "neon-dot",
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Self::Neon => "neon",
            #[cfg(target_feature = "simd128")]
            Self::Simd128 => "simd128",
            #[cfg(arm_dsp)]
            Self::Dsp => "dsp",
        }
    }
}
