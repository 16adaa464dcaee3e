//! Matrix products, by cuBLAS: of activations with weights, and the two gradients of such a product.

use std::ffi::c_void;

use anyhow::{Result, anyhow};
use cudarc::cublas::result::gemm_ex;
use cudarc::cublas::sys::{
    cublasComputeType_t as Compute, cublasGemmAlgo_t as Algorithm, cublasOperation_t as Operation,
    cublasSetWorkspace_v2, cudaDataType as Type,
};

use super::gpu::{Gpu, Pointer, WORKSPACE};
use crate::device::Precision;

/// Y (`rows` x `columns`) = X (`rows` x `inner`) W (`inner` x `columns`), all row by row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    /// Rows of X.
    pub(super) rows: usize,
    /// Columns of X in use.
    pub(super) inner: usize,
    /// Values from one row of X to the next.
    pub(super) stride: usize,
    /// Columns of W.
    pub(super) columns: usize,
}

/// A matrix as cuBLAS sees it, column by column: the transpose of one that lies row by row.
#[derive(Clone, Copy)]
struct Matrix {
    at: Pointer,
    stride: usize,
    operation: Operation,
}

impl Matrix {
    fn plain(at: Pointer, stride: usize) -> Self {
        Self { at, stride, operation: Operation::CUBLAS_OP_N }
    }

    fn transposed(at: Pointer, stride: usize) -> Self {
        Self { at, stride, operation: Operation::CUBLAS_OP_T }
    }
}

/// Where a product goes, and how.
#[derive(Clone, Copy)]
struct Target {
    at: Pointer,
    stride: usize,
    kind: Type,
    /// What the product is multiplied by, and what was there before.
    factors: [f32; 2],
}

impl Product {
    /// Y, as activations are stored.
    pub(super) fn forward(self, gpu: &Gpu, x: Pointer, w: Pointer, y: Pointer) -> Result<()> {
        self.forward_as(gpu, x, w, y, kind(gpu.precision))
    }

    /// Y, as f32.
    pub(super) fn forward_f32(self, gpu: &Gpu, x: Pointer, w: Pointer, y: Pointer) -> Result<()> {
        self.forward_as(gpu, x, w, y, Type::CUDA_R_32F)
    }

    fn forward_as(self, gpu: &Gpu, x: Pointer, w: Pointer, y: Pointer, kind: Type) -> Result<()> {
        let Self { rows, inner, stride, columns } = self;
        let target = Target { at: y, stride: columns, kind, factors: [1.0, 0.0] };
        let (w, x) = (Matrix::plain(w, columns), Matrix::plain(x, stride));
        multiply(gpu, [columns, rows, inner], w, x, target)
    }

    /// The gradient of W, as f32: X^T dY.
    pub(super) fn weights(self, gpu: &Gpu, x: Pointer, dy: Pointer, dw: Pointer) -> Result<()> {
        let Self { rows, inner, stride, columns } = self;
        let target = Target { at: dw, stride: columns, kind: Type::CUDA_R_32F, factors: [1.0, 0.0] };
        let (dy, x) = (Matrix::plain(dy, columns), Matrix::transposed(x, stride));
        multiply(gpu, [columns, inner, rows], dy, x, target)
    }

    /// The gradient of X, `factors[0]` dY W^T + `factors[1]` dX.
    pub(super) fn input(
        self,
        gpu: &Gpu,
        dy: Pointer,
        w: Pointer,
        dx: Pointer,
        factors: [f32; 2],
    ) -> Result<()> {
        let Self { rows, inner, stride, columns } = self;
        let target = Target { at: dx, stride, kind: kind(gpu.precision), factors };
        let (w, dy) = (Matrix::transposed(w, columns), Matrix::plain(dy, columns));
        multiply(gpu, [inner, rows, columns], w, dy, target)
    }
}

impl Gpu {
    /// Gives cuBLAS memory of its own.
    pub(super) fn give_workspace(&mut self) -> Result<()> {
        let workspace = self.allocate(WORKSPACE)?;
        // SAFETY: the memory is the GPU's, of that size, and only cuBLAS' until the end.
        let status =
            unsafe { cublasSetWorkspace_v2(*self.blas.handle(), workspace.0 as *mut c_void, WORKSPACE) };
        status.result().map_err(|error| anyhow!("cuBLAS does not take its memory: {error:?}"))
    }
}

fn kind(precision: Precision) -> Type {
    match precision {
        Precision::F32 => Type::CUDA_R_32F,
        Precision::Bf16 => Type::CUDA_R_16BF,
        Precision::F16 => Type::CUDA_R_16F,
    }
}

/// `sides` are rows, columns and inner side of the product of `a` and `b`, column by column.
fn multiply(gpu: &Gpu, sides: [usize; 3], a: Matrix, b: Matrix, target: Target) -> Result<()> {
    let of_activations = kind(gpu.precision);
    let [rows, columns, inner] = sides.map(|side| side as i32);
    let [product, before] = &target.factors;
    gpu.stream.context().bind_to_thread()?;
    // SAFETY: the matrices are the GPU's, of these sides and strides; the factors are read before this returns.
    unsafe {
        gemm_ex(
            *gpu.blas.handle(),
            a.operation,
            b.operation,
            rows,
            columns,
            inner,
            std::ptr::from_ref(product).cast(),
            a.at.0 as *const c_void,
            of_activations,
            a.stride as i32,
            b.at.0 as *const c_void,
            of_activations,
            b.stride as i32,
            std::ptr::from_ref(before).cast(),
            target.at.0 as *mut c_void,
            target.kind,
            target.stride as i32,
            Compute::CUBLAS_COMPUTE_32F,
            Algorithm::CUBLAS_GEMM_DEFAULT,
        )
    }
    .map_err(|error| anyhow!("cuBLAS fails: {error:?}"))
}
