//! A GPU with the kernels loaded: memory, launches, and the graph that they become.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use cudarc::cublas::CudaBlas;
use cudarc::driver::result as raw;
use cudarc::driver::{
    CudaContext, CudaFunction, CudaGraph, CudaSlice, CudaStream, DevicePtr, DeviceRepr, LaunchConfig,
    PushKernelArg, sys,
};

use super::library;
use crate::device::Precision;
use crate::ops::geometry::Geometry;

/// Threads of every block.
pub(super) const THREADS: usize = 256;
/// Channels that a block of the kernels that sum over rows treats, at most.
const TILE: usize = 64;
/// Blocks of a kernel that sums over rows, at most: what they find the last one has to add up.
const MOST_SUMS: usize = 528;
/// Values for each of them, at least.
const VALUES_OF_SUM: usize = 8 << 10;
/// Blocks of a kernel that treats each value for itself, at most: enough for any GPU.
const MOST_BLOCKS: usize = 2112;
/// Sums that a block leaves, at most, for each channel: the gradient of a depthwise convolution.
const QUANTITIES: usize = 9;
/// Tiles, at most: 4096 channels.
const MOST_TILES: usize = 64;
/// Memory for cuBLAS, which a graph must not allocate.
pub(super) const WORKSPACE: usize = 32 << 20;

/// The names in the folder `kernels`.
const KERNELS: [&str; 17] = [
    "adamw",
    "advance",
    "apply",
    "bias_gradient",
    "depthwise",
    "depthwise_input",
    "depthwise_weights",
    "drop",
    "find_overflow",
    "hidden",
    "loss",
    "moments",
    "norm_backward",
    "norm_gradient",
    "patches",
    "pool",
    "shorten",
];

/// A place in the GPU's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pointer(pub(super) u64);

impl Pointer {
    /// What a kernel takes for "there is none".
    pub(super) const NULL: Self = Self(0);

    /// So many values of `size` bytes further.
    pub(super) fn add(self, count: usize, size: usize) -> Self {
        Self(self.0 + (count * size) as u64)
    }
}

/// `Geometry` of `kernels/base.cu`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Shape([i32; 9]);

// SAFETY: nine integers, as the kernels' struct.
unsafe impl DeviceRepr for Shape {}

impl Shape {
    /// Of so many images.
    pub(super) fn new(images: usize, channels: usize, geometry: &Geometry) -> Self {
        let Geometry { height, width, stride, out_height, out_width, top, left } = *geometry;
        Self(
            [images, height, width, channels, stride, top, left, out_height, out_width]
                .map(|side| side as i32),
        )
    }
}

/// What a kernel takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Argument {
    /// Any pointer.
    Pointer(Pointer),
    /// `int`.
    Int(i32),
    /// `u64`.
    Long(u64),
    /// `float`.
    Float(f32),
    /// `Geometry`.
    Shape(Shape),
}

impl From<Pointer> for Argument {
    fn from(pointer: Pointer) -> Self {
        Self::Pointer(pointer)
    }
}

impl From<usize> for Argument {
    /// The plan has checked that all sizes fit.
    fn from(value: usize) -> Self {
        Self::Int(value as i32)
    }
}

impl From<bool> for Argument {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl From<u64> for Argument {
    fn from(value: u64) -> Self {
        Self::Long(value)
    }
}

impl From<f32> for Argument {
    fn from(value: f32) -> Self {
        Self::Float(value)
    }
}

impl From<Shape> for Argument {
    fn from(shape: Shape) -> Self {
        Self::Shape(shape)
    }
}

/// Launches a kernel: `launch!(gpu, "name", grid, arguments in its order)`.
macro_rules! launch {
    ($gpu:expr, $name:literal, $grid:expr, $($argument:expr),+ $(,)?) => {
        $gpu.launch($name, $grid, &[$($crate::cuda::gpu::Argument::from($argument)),+])
    };
}
pub(super) use launch;

/// Blocks for `count` threads, each of which treats one thing after the other.
pub(super) fn blocks(count: usize) -> [usize; 2] {
    [count.div_ceil(THREADS).clamp(1, MOST_BLOCKS), 1]
}

/// Blocks of a kernel that sums over `rows` rows of `channels`.
pub(super) fn sums(rows: usize, channels: usize) -> [usize; 2] {
    let tiles = channels.div_ceil(TILE);
    [(rows * channels / tiles / VALUES_OF_SUM).clamp(1, MOST_SUMS / tiles), tiles]
}

/// The GPU.
pub(super) struct Gpu {
    context: Arc<CudaContext>,
    pub(super) stream: Arc<CudaStream>,
    pub(super) blas: CudaBlas,
    functions: HashMap<&'static str, CudaFunction>,
    pub(super) precision: Precision,
    /// Everything allocated, to the end.
    memory: Vec<CudaSlice<u8>>,
    /// What blocks of a kernel tell its last one.
    pub(super) partials: Pointer,
    /// Blocks that are done, for each tile; zeros between launches.
    pub(super) counters: Pointer,
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gpu").field("precision", &self.precision).finish_non_exhaustive()
    }
}

impl Gpu {
    /// The first one, with the kernels for that precision.
    pub(super) fn new(precision: Precision) -> Result<Self> {
        let context = library::context(precision)?;
        // SAFETY: there is one stream, on which everything happens in order.
        unsafe { context.disable_event_tracking() };
        let module = context.load_module(library::kernels(precision, context.compute_capability()?)?);
        let module = module.map_err(|error| {
            anyhow!("the driver does not take the kernels ({error}): a newer driver may, or an older CUDA")
        })?;
        let function =
            |name: &'static str| -> Result<_> { Ok((name, module.load_function(name).context(name)?)) };
        let functions = KERNELS.into_iter().map(function).collect::<Result<_>>()?;
        let stream = context.new_stream()?;
        let blas =
            CudaBlas::new(stream.clone()).map_err(|error| anyhow!("cuBLAS does not begin: {error:?}"))?;
        let mut gpu = Self {
            context,
            stream,
            blas,
            functions,
            precision,
            memory: Vec::new(),
            partials: Pointer::NULL,
            counters: Pointer::NULL,
        };
        gpu.partials = gpu.floats(MOST_SUMS * QUANTITIES * TILE)?;
        gpu.counters = gpu.floats(MOST_TILES)?;
        gpu.give_workspace()?;
        Ok(gpu)
    }

    /// Bytes of a value of an activation.
    pub(super) fn size(&self) -> usize {
        match self.precision {
            Precision::F32 => 4,
            Precision::Bf16 | Precision::F16 => 2,
        }
    }

    /// Room for so many bytes, zeros at first, to the end of the GPU's use.
    pub(super) fn allocate(&mut self, bytes: usize) -> Result<Pointer> {
        let slice = self.stream.alloc_zeros::<u8>(bytes.max(16)).map_err(|error| {
            anyhow!(
                "{bytes} bytes of the GPU's memory are not to be had ({error}): take a smaller --batch-size"
            )
        })?;
        let pointer = Pointer(slice.device_ptr(&self.stream).0);
        self.memory.push(slice);
        Ok(pointer)
    }

    /// Room for so many f32.
    pub(super) fn floats(&mut self, count: usize) -> Result<Pointer> {
        self.allocate(4 * count)
    }

    /// Room for so many values of activations.
    pub(super) fn reals(&mut self, count: usize) -> Result<Pointer> {
        self.allocate(self.size() * count)
    }

    /// Copies values to the GPU, where there is room for them.
    pub(super) fn upload<T: DeviceRepr>(&self, values: &[T], to: Pointer) -> Result<()> {
        self.context.bind_to_thread()?;
        // SAFETY: `to` is of this GPU and has room, and `values` lives on until the copy is done.
        unsafe {
            raw::memcpy_htod_async(to.0, values, self.stream.cu_stream())?;
        }
        self.stream.synchronize().context("the GPU fails")
    }

    /// Waits for the GPU and copies values from it.
    pub(super) fn download<T: DeviceRepr>(&self, from: Pointer, values: &mut [T]) -> Result<()> {
        self.context.bind_to_thread()?;
        // SAFETY: `from` is of this GPU and has so many, of a type that takes any bits; the copy ends before this does.
        unsafe {
            raw::memcpy_dtoh_async(values, from.0, self.stream.cu_stream())?;
        }
        self.stream.synchronize().context("the GPU fails")
    }

    /// Launches a kernel; see [`launch!`].
    pub(super) fn launch(&self, name: &str, grid: [usize; 2], arguments: &[Argument]) -> Result<()> {
        let function = self.functions.get(name).with_context(|| format!("there is no kernel {name}"))?;
        let mut builder = self.stream.launch_builder(function);
        for argument in arguments {
            match argument {
                Argument::Pointer(Pointer(pointer)) => builder.arg(pointer),
                Argument::Int(value) => builder.arg(value),
                Argument::Long(value) => builder.arg(value),
                Argument::Float(value) => builder.arg(value),
                Argument::Shape(shape) => builder.arg(shape),
            };
        }
        let [x, y] = grid.map(|side| side as u32);
        let threads = (THREADS as u32, 1, 1);
        let config = LaunchConfig { grid_dim: (x, y, 1), block_dim: threads, shared_mem_bytes: 0 };
        // SAFETY: the callers, all in this folder, pass the kernel's arguments in its order, and pointers to room for what it
        // reads and writes; the tests of `fit::engine` run every one of them.
        unsafe { builder.launch(config) }.with_context(|| format!("the kernel {name} does not start"))?;
        Ok(())
    }

    /// What `launches` launches, as one graph.
    pub(super) fn record(&self, launches: impl FnOnce() -> Result<()>) -> Result<Graph> {
        self.stream.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)?;
        let launched = launches();
        let graph = self.stream.end_capture(sys::CUgraphInstantiate_flags(0));
        launched?;
        Ok(Graph(graph?.context("CUDA has recorded no graph")?))
    }
}

/// Launches that the GPU carries out as one.
pub(super) struct Graph(CudaGraph);

// SAFETY: CUDA wants calls for a graph one after the other, from any thread; only `launch` calls, through `&mut`.
unsafe impl Send for Graph {}

impl Graph {
    /// Carries it out.
    pub(super) fn launch(&mut self) -> Result<()> {
        self.0.launch().context("the GPU fails")
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Graph").finish_non_exhaustive()
    }
}
