//! A network as the engine computes it: what the planner has to know of its layers.

use crate::engine;
use crate::quantize::{Layer, Network};
use edge8::Operator;
use edge8::operator::Reads;
use std::ops::Range;

/// A network with the engine's operators of its layers.
pub(super) struct Program<'a> {
    pub network: &'a Network,
    /// [`None`] for a layer that takes no computing, a view.
    operators: Vec<Option<Operator<'a>>>,
    reads: Vec<Reads>,
}

impl<'a> Program<'a> {
    pub fn of(network: &'a Network) -> Self {
        let place = |id| engine::tensor(network.tensor(id));
        let operators: Vec<_> =
            network.layers.iter().map(|layer| engine::operator(network, layer, place)).collect();
        let reads = operators.iter().map(|operator| operator.map_or(Reads::All, |operator| operator.reads()));
        Self { network, reads: reads.collect(), operators }
    }

    pub fn layer(&self, layer: usize) -> &'a Layer {
        &self.network.layers[layer]
    }

    /// Rows of a layer's output.
    pub fn height(&self, layer: usize) -> usize {
        self.network.tensor(self.layer(layer).output).shape.height
    }

    /// Whether the layer's output is its input in another shape.
    pub fn is_view(&self, layer: usize) -> bool {
        self.operators[layer].is_none()
    }

    /// Whether the layer's output can be computed row by row.
    pub fn works_by_rows(&self, layer: usize) -> bool {
        self.operators[layer].is_some_and(|operator| operator.works_by_rows())
    }

    /// Whether the layer's output may be written over an input of its size.
    pub fn works_in_place(&self, layer: usize) -> bool {
        self.operators[layer].is_some_and(|operator| operator.works_in_place())
    }

    /// The most rows of an input that one row of the layer's output is made from.
    pub fn rows_at_once(&self, layer: usize, input: usize) -> usize {
        let height = self.network.tensor(self.layer(layer).inputs[input]).shape.height;
        self.reads[layer].at_once(u16::try_from(height).unwrap_or(u16::MAX)).into()
    }

    /// The rows of an input that a row of the layer's output is made from.
    pub fn rows_read(&self, layer: usize, input: usize, row: usize) -> Range<usize> {
        let height = self.network.tensor(self.layer(layer).inputs[input]).shape.height;
        self.reads[layer].rows(row, height)
    }

    /// Bytes in which kernels work.
    pub fn scratch(&self, alignment: usize) -> usize {
        let most = self.operators.iter().flatten().map(Operator::scratch_at_best).max();
        most.unwrap_or(0).next_multiple_of(alignment)
    }
}
