//! Which layers are streamed together.
//!
//! A network is cut into segments of consecutive layers. What a cut costs, the bytes alive while a segment runs, depends
//! on the segment's own two ends alone: a tensor that reaches over an end is whole. So the best cuts are a shortest path.

use super::Buffers;
use super::segment::{Segment, works_by_rows};
use crate::quantize::Network;
use std::ops::Range;

/// Layers that are streamed together at most: two inverted residuals and what is around them, some times over.
const MOST_LAYERS: usize = 40;

/// Rows that are simulated at most, a second's work; a network that needs more is streamed in shorter segments or not.
const MOST_ROWS: usize = 1 << 22;

/// A segment that could be chosen.
struct Candidate {
    segment: Segment,
    /// Bytes alive while it runs.
    bytes: usize,
}

/// The segments that need the smallest arena, and among those the ones with the fewest steps.
pub(super) fn partition(network: &Network, buffers: &Buffers, alignment: usize) -> Vec<Segment> {
    let candidates = candidates(network, buffers, alignment);
    let smallest = best(&candidates, |candidate, before: usize| before.max(candidate.bytes));
    let arena = smallest.last().and_then(|(cost, _)| *cost).unwrap_or(0);
    let steps = best(&candidates, |candidate, before: usize| {
        // A step too many is better than a byte too many.
        let beyond = if candidate.bytes > arena { usize::MAX / 2 } else { 0 };
        before.saturating_add(candidate.segment.steps.len()).saturating_add(beyond)
    });
    let mut chosen = Vec::new();
    let mut end = candidates.len();
    while end > 0 {
        let index = steps[end].1;
        let candidate = &candidates[end - 1][index];
        end = candidate.segment.layers.start;
        chosen.push(candidate.segment.clone());
    }
    chosen.reverse();
    chosen
}

/// For each number of layers from the first on the least cost of segments that cover them, and the last of those.
fn best(
    candidates: &[Vec<Candidate>],
    cost: impl Fn(&Candidate, usize) -> usize,
) -> Vec<(Option<usize>, usize)> {
    let mut best: Vec<(Option<usize>, usize)> = vec![(Some(0), 0)];
    for ending in candidates {
        let costs = ending.iter().enumerate().filter_map(|(index, candidate)| {
            best[candidate.segment.layers.start].0.map(|before| (cost(candidate, before), index))
        });
        let least = costs.min();
        best.push((least.map(|(cost, _)| cost), least.map_or(0, |(_, index)| index)));
    }
    best
}

/// For each layer the segments that end with it.
fn candidates(network: &Network, buffers: &Buffers, alignment: usize) -> Vec<Vec<Candidate>> {
    let mut rows_left = MOST_ROWS;
    let mut candidates = Vec::new();
    for end in 1..=network.layers.len() {
        let mut ending = vec![candidate(network, buffers, alignment, Segment::whole(network, end - 1))];
        for start in (end.saturating_sub(MOST_LAYERS)..end - 1).rev() {
            let Some(left) = rows_left.checked_sub(rows(network, start..end)) else { break };
            if !streamable(network, start..end) {
                break;
            }
            rows_left = left;
            let segment = Segment::streamed(network, start..end);
            if segment.is_sound(network, buffers) {
                ending.push(candidate(network, buffers, alignment, segment));
            }
        }
        candidates.push(ending);
    }
    candidates
}

fn streamable(network: &Network, layers: Range<usize>) -> bool {
    network.layers[layers].iter().all(|layer| works_by_rows(&layer.operator))
}

/// Rows that the layers compute.
fn rows(network: &Network, layers: Range<usize>) -> usize {
    network.layers[layers].iter().map(|layer| network.tensor(layer.output).shape.height).sum()
}

fn candidate(network: &Network, buffers: &Buffers, alignment: usize, segment: Segment) -> Candidate {
    let kept = segment.kept(network, buffers);
    let mut bytes = 0;
    for (buffer, life) in buffers.lifetimes.iter().enumerate() {
        if life.first < segment.layers.end && life.last >= segment.layers.start {
            let size = match kept.iter().find(|(found, _)| *found == buffer) {
                Some((_, rows)) => rows * buffers.row_len(network, buffer),
                None => life.size,
            };
            bytes += size.next_multiple_of(alignment);
        }
    }
    Candidate { segment, bytes }
}
