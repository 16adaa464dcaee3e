//! The plan of a whole network.

use super::buffers::Buffers;
use super::placement::{Lifetime, Plan, plan};
use super::program::Program;
use super::segment::{Segment, Step};
use super::stream;
use crate::quantize::Network;

/// Plans that are tried for an arena.
const TRIALS: usize = 4;

/// What is computed when, and where each tensor lies meanwhile.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// Every row of every layer once, reshapes left out: they cost nothing.
    pub steps: Vec<Step>,
    /// Offset of each tensor from the start of the arena. Tensors that share a buffer share an offset.
    pub offsets: Vec<usize>,
    /// Rows of each tensor that the arena keeps at a time.
    pub rows: Vec<usize>,
    /// Bytes at the arena's start in which kernels work.
    pub scratch: usize,
    /// Bytes of the arena, scratch included.
    pub arena: usize,
    /// The arena of this schedule with the tensors packed without any gap.
    pub lower_bound: usize,
}

impl NetworkPlan {
    /// Plans a network, with offsets that are multiples of `alignment`: streamed row by row where that makes the arena
    /// smaller.
    ///
    /// # Panics
    /// If `alignment` is 0.
    pub fn streamed(network: &Network, alignment: usize) -> Self {
        Self::of_budget(&Program::of(network), alignment, 0)
    }

    /// As [`streamed`](Self::streamed), but where `arena` bytes are more than need be, with as few steps as they allow: each
    /// takes some time of its own.
    ///
    /// # Panics
    /// If `alignment` is 0.
    pub fn within(network: &Network, alignment: usize, arena: usize) -> Self {
        // Tensors may not lie without gaps: what a plan is too large by, the next one does without.
        let program = Program::of(network);
        let mut budget = arena.saturating_sub(program.scratch(alignment));
        for _ in 0..TRIALS {
            let plan = Self::of_budget(&program, alignment, budget);
            if plan.arena <= arena {
                return plan;
            }
            budget = budget.saturating_sub(plan.arena - arena);
        }
        Self::streamed(network, alignment)
    }

    fn of_budget(program: &Program<'_>, alignment: usize, budget: usize) -> Self {
        let buffers = Buffers::of(program);
        let segments = stream::partition(program, &buffers, alignment, budget);
        Self::of_segments(program, &buffers, segments, alignment)
    }

    /// As [`streamed`](Self::streamed), with every layer computed as a whole before the next one.
    ///
    /// # Panics
    /// If `alignment` is 0.
    pub fn layer_by_layer(network: &Network, alignment: usize) -> Self {
        let program = Program::of(network);
        let segments = (0..network.layers.len()).map(|layer| Segment::whole(&program, layer)).collect();
        Self::of_segments(&program, &Buffers::of(&program), segments, alignment)
    }

    fn of_segments(
        program: &Program<'_>,
        buffers: &Buffers,
        segments: Vec<Segment>,
        alignment: usize,
    ) -> Self {
        let network = program.network;
        let rows = kept_rows(program, buffers, &segments);
        let Plan { offsets, arena, lower_bound } =
            plan(&lifetimes(network, buffers, &segments, &rows), alignment);
        let scratch = program.scratch(alignment);
        Self {
            steps: segments.into_iter().flat_map(|segment| segment.steps).collect(),
            offsets: buffers.of_tensor.iter().map(|&buffer| scratch + offsets[buffer]).collect(),
            rows: buffers
                .of_tensor
                .iter()
                .zip(&network.tensors)
                .map(|(&buffer, tensor)| rows[buffer].unwrap_or(tensor.shape.height))
                .collect(),
            scratch,
            arena: scratch + arena,
            lower_bound: scratch + lower_bound,
        }
    }
}

/// For each buffer the rows that are kept of it, [`None`] for all.
fn kept_rows(program: &Program<'_>, buffers: &Buffers, segments: &[Segment]) -> Vec<Option<usize>> {
    let mut rows = vec![None; buffers.lifetimes.len()];
    for segment in segments {
        for (buffer, kept) in segment.kept(program, buffers) {
            rows[buffer] = Some(kept);
        }
    }
    rows
}

/// The buffers with the segments in which they are needed.
fn lifetimes(
    network: &Network,
    buffers: &Buffers,
    segments: &[Segment],
    rows: &[Option<usize>],
) -> Vec<Lifetime> {
    let segment_of = |layer: usize| segments.partition_point(|segment| segment.layers.end <= layer);
    let mut lifetimes: Vec<Lifetime> = buffers
        .lifetimes
        .iter()
        .map(|life| Lifetime { size: life.size, first: segment_of(life.first), last: segment_of(life.last) })
        .collect();
    for (tensor, &buffer) in network.tensors.iter().zip(&buffers.of_tensor) {
        if let Some(kept) = rows[buffer] {
            lifetimes[buffer].size = kept * tensor.shape.width * tensor.shape.channels;
        }
    }
    lifetimes
}
