//! Layers that are computed row by row in turns.
//!
//! The last layer asks for some rows; each layer asks those before it for the rows that its window covers and that are not
//! there yet. No row is computed twice. Of a tensor that only these layers use the arena keeps the rows that are still
//! needed, a ring.

use super::buffers::Buffers;
use super::program::Program;
use crate::quantize::Layer;
use std::collections::BTreeMap;
use std::ops::Range;

/// The most rows that a model image's tensor record can keep short of all.
const MOST_KEPT: usize = 255;

/// A layer computes some rows of its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Index of the layer.
    pub layer: usize,
    /// Rows of its output.
    pub rows: Range<usize>,
}

/// Consecutive layers with the order in which their rows are computed.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// The layers.
    pub layers: Range<usize>,
    /// What is computed when.
    pub steps: Vec<Step>,
}

/// Rows of a buffer: when each was written first and when it was used last, in steps.
type Uses = Vec<(usize, usize)>;

impl Segment {
    /// One layer by itself; a reshape takes no step.
    pub fn whole(program: &Program<'_>, layer: usize) -> Self {
        let step = Step { layer, rows: 0..program.height(layer) };
        Self { layers: layer..layer + 1, steps: if program.is_view(layer) { Vec::new() } else { vec![step] } }
    }

    /// Layers that all work by rows, streamed, `strip` rows of the last one at a time; of those before it the rows that are
    /// missing, or of a strip of [`None`] all layers' rows one by one.
    pub fn streamed(program: &Program<'_>, layers: Range<usize>, strip: Option<usize>) -> Self {
        let done = vec![0; layers.len()];
        let most = if strip.is_some() { usize::MAX } else { 1 };
        let mut order = Order { program, layers: layers.clone(), done, most, steps: Vec::new() };
        // The last layer's rows pull what they need; what none needs follows.
        for layer in layers.clone().rev() {
            let height = program.height(layer);
            while order.done[layer - layers.start] < height {
                order.compute(layer, (order.done[layer - layers.start] + strip.unwrap_or(1)).min(height));
            }
        }
        Self { layers, steps: order.steps }
    }

    /// The buffers that live inside the segment only, each with the rows that it must keep; those that must keep all are
    /// left out.
    pub fn kept(&self, program: &Program<'_>, buffers: &Buffers) -> Vec<(usize, usize)> {
        if self.layers.len() < 2 {
            return Vec::new();
        }
        let mut kept = Vec::new();
        for (buffer, uses) in self.uses(program, buffers) {
            let least = self.rows_at_once(program, buffers, buffer);
            let rows = rows_in_use(&uses).max(least);
            if rows < uses.len() && rows <= MOST_KEPT {
                kept.push((buffer, rows));
            }
        }
        kept
    }

    /// Whether each row is still there when it is read: a sum that is written over its operand must not come before the
    /// operand's other readers.
    pub fn is_sound(&self, program: &Program<'_>, buffers: &Buffers) -> bool {
        // The tensor whose values a row of a buffer has.
        let mut holds: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for Step { layer, rows } in &self.steps {
            let Layer { inputs, output, .. } = program.layer(*layer);
            for row in rows.clone() {
                for (index, input) in inputs.iter().enumerate() {
                    let tensor = input.index();
                    let read = program.rows_read(*layer, index, row);
                    let lost = |row| {
                        holds.get(&(buffers.of_tensor[tensor], row)).is_some_and(|&held| held != tensor)
                    };
                    if read.clone().any(lost) {
                        return false;
                    }
                }
                holds.insert((buffers.of_tensor[output.index()], row), output.index());
            }
        }
        true
    }

    /// When the rows of each buffer that lives inside the segment are written and used.
    fn uses(&self, program: &Program<'_>, buffers: &Buffers) -> BTreeMap<usize, Uses> {
        let inside = |buffer: usize| {
            let life = &buffers.lifetimes[buffer];
            let output = buffers.of_tensor[program.network.output.index()];
            let input = buffers.of_tensor[0];
            self.layers.contains(&life.first)
                && self.layers.contains(&life.last)
                && buffer != output
                && buffer != input
        };
        let mut uses: BTreeMap<usize, Uses> = BTreeMap::new();
        for (time, Step { layer, rows }) in self.steps.iter().enumerate() {
            let Layer { inputs, output, .. } = program.layer(*layer);
            for row in rows.clone() {
                for (index, input) in inputs.iter().enumerate() {
                    if let Some(uses) = uses.get_mut(&buffers.of_tensor[input.index()]) {
                        program.rows_read(*layer, index, row).for_each(|row| uses[row].1 = time);
                    }
                }
                let buffer = buffers.of_tensor[output.index()];
                if inside(buffer) {
                    let uses = uses.entry(buffer).or_default();
                    match uses.get_mut(row) {
                        Some(written_before) => written_before.1 = time,
                        None => uses.push((time, time)),
                    }
                }
            }
        }
        uses
    }

    /// The most rows of a buffer that one row of a layer's output is made from, as the runtime counts them.
    fn rows_at_once(&self, program: &Program<'_>, buffers: &Buffers, buffer: usize) -> usize {
        let rows = self.layers.clone().flat_map(|layer| {
            let inputs = program.layer(layer).inputs.iter().enumerate();
            let read = inputs.filter(|(_, input)| buffers.of_tensor[input.index()] == buffer);
            read.map(move |(index, _)| program.rows_at_once(layer, index))
        });
        rows.max().unwrap_or(1)
    }
}

/// The most rows in use at a time: from one that is still needed to the newest.
fn rows_in_use(uses: &Uses) -> usize {
    let newest = |time: usize| uses.partition_point(|&(written, _)| written <= time);
    uses.iter().enumerate().map(|(row, &(_, last))| newest(last) - row).max().unwrap_or(0)
}

/// The order of computation as it grows.
struct Order<'a> {
    program: &'a Program<'a>,
    layers: Range<usize>,
    /// Rows done of each layer.
    done: Vec<usize>,
    /// Rows that are pulled at once at most.
    most: usize,
    steps: Vec<Step>,
}

impl Order<'_> {
    /// Computes a layer's rows up to `end`, and before them what they need.
    fn compute(&mut self, layer: usize, end: usize) {
        for (index, input) in self.program.layer(layer).inputs.iter().enumerate() {
            let mut before = self.layers.start..layer;
            if let Some(writer) = before.find(|&before| self.program.layer(before).output == *input) {
                let needed = self.program.rows_read(layer, index, end - 1).end;
                while self.done[writer - self.layers.start] < needed {
                    let done = self.done[writer - self.layers.start];
                    self.compute(writer, needed.min(done.saturating_add(self.most)));
                }
            }
        }
        let done = std::mem::replace(&mut self.done[layer - self.layers.start], end);
        match self.steps.last_mut() {
            Some(last) if last.layer == layer => last.rows.end = end,
            _ => self.steps.push(Step { layer, rows: done..end }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Activation, Filter, Graph, Operator, Shape, TensorId, Window};
    use crate::quantize::Network;
    use crate::quantize::{Range as Values, quantise};

    /// A network on a map of this height, 4 columns wide, of 3x3 depthwise layers, 1x1 layers and sums.
    fn network(height: usize, build: impl Fn(&mut Graph)) -> Network {
        let mut graph = Graph::new(Shape::new(height, 4, 2));
        build(&mut graph);
        let ranges = vec![Values { min: -1.0, max: 1.0 }; graph.tensors().len()];
        quantise(&graph, &ranges).unwrap()
    }

    fn name(graph: &Graph) -> String {
        format!("layer {}", graph.nodes().len())
    }

    fn depthwise(graph: &mut Graph, input: TensorId, stride: usize) -> TensorId {
        let shape = graph.tensors()[input.index()].shape;
        let window = Window::same([3, 3], [stride; 2], [shape.height, shape.width]);
        let filter = Filter::new(vec![0.5; 18], vec![0.0; 2]).unwrap();
        graph.add(name(graph), Operator::DepthwiseConv2d(window, filter), Activation::None, &[input]).unwrap()
    }

    fn pointwise(graph: &mut Graph, input: TensorId) -> TensorId {
        let filter = Filter::new(vec![0.5; 4], vec![0.0; 2]).unwrap();
        graph.add(name(graph), Operator::Conv2d(Window::POINT, filter), Activation::None, &[input]).unwrap()
    }

    fn kept(network: &Network) -> Vec<(usize, usize)> {
        let program = Program::of(network);
        let segment = Segment::streamed(&program, 0..network.layers.len(), None);
        let buffers = Buffers::of(&program);
        assert!(segment.is_sound(&program, &buffers));
        segment.kept(&program, &buffers)
    }

    #[test]
    fn every_row_is_computed_once_and_after_what_it_needs() {
        for (stride, strip) in [(1, None), (2, None), (1, Some(4)), (2, Some(3))] {
            let network = network(9, |graph| {
                let first = pointwise(graph, graph.input());
                let second = depthwise(graph, first, stride);
                pointwise(graph, second);
            });
            let program = Program::of(&network);
            let mut done = [0; 3];
            for Step { layer, rows } in Segment::streamed(&program, 0..3, strip).steps {
                assert_eq!(rows.start, done[layer]);
                done[layer] = rows.end;
                if layer > 0 {
                    let needed = program.rows_read(layer, 0, rows.end - 1).end;
                    assert!(done[layer - 1] >= needed, "layer {layer}, {rows:?}");
                }
            }
            assert_eq!(done, [9, 9usize.div_ceil(stride), 9usize.div_ceil(stride)]);
        }
    }

    #[test]
    fn an_inverted_residual_keeps_three_rows_of_the_expanded_map() {
        let network = network(9, |graph| {
            let expanded = pointwise(graph, graph.input());
            let filtered = depthwise(graph, expanded, 1);
            pointwise(graph, filtered);
        });
        // The input and the output are whole, the filtered map is one row.
        assert_eq!(kept(&network), [(1, 3), (2, 1)]);
    }

    #[test]
    fn a_residual_keeps_its_input_until_the_sum() {
        let network = network(9, |graph| {
            let stem = pointwise(graph, graph.input());
            let expanded = pointwise(graph, stem);
            let filtered = depthwise(graph, expanded, 1);
            let projected = pointwise(graph, filtered);
            let sum = graph.add("sum", Operator::Add, Activation::None, &[stem, projected]).unwrap();
            depthwise(graph, sum, 1);
        });
        // The sum lies where the stem did: its 3 rows, and one more that the stem is ahead.
        assert_eq!(kept(&network), [(1, 4), (2, 3), (3, 1), (4, 1)]);
    }

    /// The sum overwrites a row of `a` that the depthwise layer reads for its next row.
    #[test]
    fn a_sum_over_rows_that_are_needed_is_refused() {
        let network = network(9, |graph| {
            let a = pointwise(graph, graph.input());
            let b = depthwise(graph, a, 1);
            let sum = graph.add("sum", Operator::Add, Activation::None, &[a, b]).unwrap();
            pointwise(graph, sum);
        });
        let program = Program::of(&network);
        let buffers = Buffers::of(&program);
        assert_eq!(buffers.of_tensor[1], buffers.of_tensor[3]);
        assert!(!Segment::streamed(&program, 0..4, None).is_sound(&program, &buffers));
        assert!(Segment::streamed(&program, 0..2, None).is_sound(&program, &buffers));
    }
}
