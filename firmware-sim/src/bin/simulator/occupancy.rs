//! Which bytes of the arena are in use when.

use edge8::{Model, Tensor};
use std::ops::Range;

/// A tensor in the arena.
pub struct Span {
    /// From the step that writes its first row to the one behind its last use.
    pub steps: Range<usize>,
    /// The rows that are kept.
    pub bytes: Range<usize>,
}

/// The arena during one inference.
pub struct Occupancy {
    /// Bytes of the arena.
    pub arena: usize,
    /// Steps of the schedule.
    pub steps: usize,
    /// All tensors, each with the operator that makes it; the network's input has none. One that is written in the place of
    /// another comes behind it.
    pub spans: Vec<(Option<usize>, Span)>,
}

impl Occupancy {
    pub fn new(model: &Model<'_>) -> Self {
        let steps: Vec<usize> = model.steps().map(|step| step.operator).collect();
        let first = |operator: usize| steps.iter().position(|&of| of == operator).unwrap_or(0);
        let last = |operator: usize| steps.iter().rposition(|&of| of == operator).unwrap_or(0);
        let mut tensors: Vec<(Option<usize>, Tensor, Range<usize>)> = vec![(None, model.input(), 0..1)];
        for (index, operator) in model.operators().enumerate() {
            for input in operator.inputs() {
                // The latest with that place is the one that is read.
                if let Some((_, _, used)) = tensors.iter_mut().rev().find(|(_, tensor, _)| tensor == input) {
                    used.end = used.end.max(last(index) + 1);
                }
            }
            tensors.push((Some(index), *operator.output(), first(index)..last(index) + 1));
        }
        let span =
            |(operator, tensor, steps): (_, Tensor, _)| (operator, Span { steps, bytes: tensor.range() });
        Self { arena: model.arena_len(), steps: steps.len(), spans: tensors.into_iter().map(span).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_that_are_alive_together_share_no_byte() {
        let model = Model::parse(crate::SHIPPED).unwrap();
        let occupancy = Occupancy::new(&model);
        assert_eq!(occupancy.spans.len(), model.operators().len() + 1);
        for (index, (_, span)) in occupancy.spans.iter().enumerate() {
            assert!(!span.steps.is_empty() && span.bytes.end <= occupancy.arena);
            for (_, other) in &occupancy.spans[..index] {
                let together = span.steps.start + 1 < other.steps.end && other.steps.start < span.steps.end;
                let shared = span.bytes.start < other.bytes.end && other.bytes.start < span.bytes.end;
                // In place: the input's last use is the output's first step.
                assert!(!(together && shared) || span.bytes == other.bytes, "{index}");
            }
        }
    }
}
