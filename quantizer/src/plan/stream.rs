//! Which layers are streamed together.
//!
//! A network is cut into segments of consecutive layers. What a cut costs, the bytes alive while a segment runs, depends
//! on the segment's own two ends alone: a tensor that reaches over an end is whole. So the best cuts are a shortest path.

use super::buffers::Buffers;
use super::program::Program;
use super::segment::Segment;
use std::ops::Range;

/// Layers that are streamed together at most: two inverted residuals and what is around them, some times over.
const MOST_LAYERS: usize = 40;

/// Rows of a segment's last layer that are computed at a time, see [`Segment::streamed`]. Every step costs some time of its own: more rows are better
/// where the arena has room for them, because another segment needs it.
const STRIPS: [Option<usize>; 5] = [None, Some(1), Some(2), Some(4), Some(8)];

/// Rows that are simulated at most, a second's work; a network that needs more is streamed in shorter segments or not.
const MOST_ROWS: usize = 1 << 22;

/// A segment that could be chosen.
struct Candidate {
    segment: Segment,
    /// Bytes alive while it runs.
    bytes: usize,
}

/// The segments with the fewest steps that need at most `budget` bytes, or where there are none, the smallest arena.
pub(super) fn partition(
    program: &Program<'_>,
    buffers: &Buffers,
    alignment: usize,
    budget: usize,
) -> Vec<Segment> {
    let candidates = candidates(program, buffers, alignment);
    let smallest = best(&candidates, |candidate, before: usize| before.max(candidate.bytes));
    let arena = smallest.last().and_then(|(cost, _)| *cost).unwrap_or(0).max(budget);
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
fn candidates(program: &Program<'_>, buffers: &Buffers, alignment: usize) -> Vec<Vec<Candidate>> {
    let mut rows_left = MOST_ROWS;
    let mut candidates = Vec::new();
    for end in 1..=program.network.layers.len() {
        let mut ending = vec![candidate(program, buffers, alignment, Segment::whole(program, end - 1))];
        for start in (end.saturating_sub(MOST_LAYERS)..end - 1).rev() {
            let cost = STRIPS.len() * rows(program, start..end);
            let Some(left) = rows_left.checked_sub(cost) else { break };
            if !streamable(program, start..end) {
                break;
            }
            rows_left = left;
            let segments = STRIPS.map(|strip| Segment::streamed(program, start..end, strip));
            let sound = segments.into_iter().filter(|segment| segment.is_sound(program, buffers));
            ending.extend(sound.map(|segment| candidate(program, buffers, alignment, segment)));
        }
        candidates.push(ending);
    }
    candidates
}

fn streamable(program: &Program<'_>, mut layers: Range<usize>) -> bool {
    layers.all(|layer| program.works_by_rows(layer))
}

/// Rows that the layers compute.
fn rows(program: &Program<'_>, layers: Range<usize>) -> usize {
    layers.map(|layer| program.height(layer)).sum()
}

fn candidate(program: &Program<'_>, buffers: &Buffers, alignment: usize, segment: Segment) -> Candidate {
    let kept = segment.kept(program, buffers);
    let mut bytes = 0;
    for (buffer, life) in buffers.lifetimes.iter().enumerate() {
        if life.first < segment.layers.end && life.last >= segment.layers.start {
            let size = match kept.iter().find(|(found, _)| *found == buffer) {
                Some((_, rows)) => rows * buffers.row_len(program.network, buffer),
                None => life.size,
            };
            bytes += size.next_multiple_of(alignment);
        }
    }
    Candidate { segment, bytes }
}

#[cfg(test)]
mod tests {
    use super::super::NetworkPlan;
    use crate::graph::{Activation, Filter, Graph, Operator, Shape, Window};
    use crate::quantize::{Network, Range, quantise};

    /// An inverted residual: 4 channels, 24, 24, 4.
    fn block(side: usize) -> Network {
        let mut graph = Graph::new(Shape::new(side, side, 4));
        let filter = |rows: usize, row: usize| Filter::new(vec![0.1; rows * row], vec![0.0; rows]).unwrap();
        let window = Window::same([3, 3], [1, 1], [side, side]);
        let operators = [
            Operator::Conv2d(Window::POINT, filter(24, 4)),
            Operator::DepthwiseConv2d(window, filter(24, 9)),
            Operator::Conv2d(Window::POINT, filter(4, 24)),
        ];
        let mut last = graph.input();
        for (layer, operator) in operators.into_iter().enumerate() {
            last = graph.add(format!("layer {layer}"), operator, Activation::None, &[last]).unwrap();
        }
        quantise(&graph, &[Range { min: -1.0, max: 1.0 }; 4]).unwrap()
    }

    #[test]
    fn a_large_block_is_streamed_and_a_tiny_one_is_not() {
        let large = NetworkPlan::streamed(&block(16), 1);
        assert_eq!(large.rows, [16, 3, 1, 16]);
        assert_eq!(large.arena - large.scratch, 2 * 16 * 16 * 4 + 4 * 16 * 24);
        let whole = NetworkPlan::layer_by_layer(&block(16), 1);
        assert_eq!((whole.steps.len(), whole.arena - whole.scratch), (3, 2 * 16 * 16 * 24));
        let tiny = NetworkPlan::streamed(&block(1), 1);
        assert_eq!((tiny.steps.len(), tiny.rows), (3, vec![1; 4]));
    }

    #[test]
    fn a_larger_arena_takes_fewer_steps() {
        let network = block(16);
        let least = NetworkPlan::streamed(&network, 1);
        let whole = NetworkPlan::layer_by_layer(&network, 1);
        let mut before = least.steps.len();
        for arena in [least.arena, least.arena + 2000, whole.arena - 1, whole.arena] {
            let plan = NetworkPlan::within(&network, 1, arena);
            assert!(plan.arena <= arena && plan.steps.len() <= before, "{arena}: {}", plan.steps.len());
            before = plan.steps.len();
        }
        assert_eq!(before, 3);
        assert_eq!(NetworkPlan::within(&network, 1, 0).arena, least.arena);
    }

    /// A network of thousands of layers, or with maps of thousands of rows, is planned in bounded time.
    #[test]
    fn plans_of_huge_networks_end() {
        let mut graph = Graph::new(Shape::new(60_000, 1, 1));
        let mut last = graph.input();
        for layer in 0..300 {
            let filter = Filter::new(vec![0.1], vec![0.0]).unwrap();
            let operator = Operator::Conv2d(Window::POINT, filter);
            last = graph.add(format!("layer {layer}"), operator, Activation::None, &[last]).unwrap();
        }
        let ranges = vec![Range { min: -1.0, max: 1.0 }; graph.tensors().len()];
        let plan = NetworkPlan::streamed(&quantise(&graph, &ranges).unwrap(), 1);
        assert!(plan.arena - plan.scratch <= 120_000);
    }
}
