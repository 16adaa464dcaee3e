//! Calibration: the range of every activation, from running the float network on real images.

mod entropy;
mod histogram;
mod method;
mod mse;
mod search;

pub use histogram::{BINS, Histogram};
pub use method::Method;

use crate::float::Engine;
use crate::graph::{Graph, Operator};
use crate::quantize::{Quantisation, Range};
use anyhow::{Result, ensure};
use rayon::prelude::*;

/// Images between two looks at the ranges.
pub const CHUNK: usize = 16;

/// A range is stable while neither edge is further from its final place than this share of the final width.
pub const STABLE: f32 = 0.02;

/// What calibration found out about one tensor.
#[derive(Clone, Copy, Debug)]
pub struct TensorRange {
    /// What int8 will represent.
    pub range: Range,
    /// What occurred.
    pub observed: Range,
    /// Share of the values outside the range, in [0, 1].
    pub clipped: f64,
    /// Images after which the range stayed within [`STABLE`] of the final one; a multiple of [`CHUNK`] (or all).
    pub stable_after: usize,
}

/// The ranges of all tensors of a graph, in the order of [`Graph::tensors`].
#[derive(Clone, Debug)]
pub struct Calibration {
    /// How the ranges were chosen.
    pub method: Method,
    /// Number of images.
    pub samples: usize,
    /// One per tensor.
    pub tensors: Vec<TensorRange>,
}

impl Calibration {
    /// The ranges alone, for [`quantise`](crate::quantize::quantise).
    pub fn ranges(&self) -> Vec<Range> {
        self.tensors.iter().map(|tensor| tensor.range).collect()
    }

    /// Images after which all ranges were stable.
    pub fn stable_after(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.stable_after).max().unwrap_or(0)
    }
}

/// Runs the float network over `images` and chooses a range for each tensor.
///
/// Two passes: the first finds the extremes, the second fills histograms between them. `input` is the range of the
/// input tensor: the pre-processing determines it, and int8 itself that of a softmax's output.
///
/// # Errors
/// Without images, or if one has the wrong length.
pub fn calibrate(graph: &Graph, images: &[Vec<f32>], input: Range, method: Method) -> Result<Calibration> {
    ensure!(!images.is_empty(), "calibration needs at least one image");
    let engine = Engine::tapped(graph)?;
    let extremes = extremes(&engine, images, graph.tensors().len())?;
    let last = extremes.last().map_or(&[][..], Vec::as_slice);
    let mut histograms: Vec<Histogram> = last.iter().map(|&range| Histogram::new(range)).collect();
    let mut history = Vec::new();
    for (chunk, observed) in images.chunks(CHUNK).zip(&extremes) {
        for more in count(&engine, chunk, last)? {
            histograms.iter_mut().zip(&more).for_each(|(sum, part)| sum.merge(part));
        }
        let pairs = histograms.par_iter().zip(observed);
        history
            .push(pairs.map(|(histogram, &observed)| method.range(histogram, observed)).collect::<Vec<_>>());
    }
    let mut tensors: Vec<TensorRange> = (0..last.len())
        .map(|tensor| {
            let places: Vec<Range> = history.iter().map(|ranges| ranges[tensor]).collect();
            let range = places[places.len() - 1];
            let clipped = histograms[tensor].share_outside(range);
            let stable_after = stable_after(&places).min(images.len());
            TensorRange { range, observed: last[tensor], clipped, stable_after }
        })
        .collect();
    fix(&mut tensors[graph.input().index()], input);
    for node in graph.nodes().iter().filter(|node| matches!(node.operator, Operator::Softmax)) {
        fix(&mut tensors[node.output.index()], Quantisation::PROBABILITY.range());
    }
    Ok(Calibration { method, samples: images.len(), tensors })
}

/// A range that no image decides.
fn fix(tensor: &mut TensorRange, range: Range) {
    *tensor = TensorRange { range, clipped: 0.0, stable_after: 0, ..*tensor };
}

/// Per chunk of images, the extremes of each tensor over this chunk and all before it.
fn extremes(engine: &Engine, images: &[Vec<f32>], tensors: usize) -> Result<Vec<Vec<Range>>> {
    let mut so_far = vec![Range::EMPTY; tensors];
    let mut extremes = Vec::new();
    for chunk in images.chunks(CHUNK) {
        let found: Result<Vec<Vec<Range>>> = chunk
            .par_iter()
            .map(|image| {
                let mut ranges = vec![Range::EMPTY; tensors];
                engine.run(image, |tensor, values| ranges[tensor] = Range::of(values))?;
                Ok(ranges)
            })
            .collect();
        for ranges in found? {
            so_far.iter_mut().zip(ranges).for_each(|(sum, range)| *sum = sum.union(range));
        }
        extremes.push(so_far.clone());
    }
    Ok(extremes)
}

/// The histograms of some images over fixed ranges: one list for each part that a thread took.
fn count(engine: &Engine, images: &[Vec<f32>], ranges: &[Range]) -> Result<Vec<Vec<Histogram>>> {
    let part = images.len().div_ceil(rayon::current_num_threads()).max(1);
    let parts = images.par_chunks(part).map(|part| {
        let mut histograms: Vec<Histogram> = ranges.iter().map(|&range| Histogram::new(range)).collect();
        for image in part {
            engine.run(image, |tensor, values| histograms[tensor].add(values))?;
        }
        Ok(histograms)
    });
    parts.collect()
}

/// The number of images after which no later range leaves the final one by more than [`STABLE`] of its width.
/// `places` has one range per [`CHUNK`] images.
fn stable_after(places: &[Range]) -> usize {
    let Some(&end) = places.last() else { return 0 };
    let tolerance = STABLE * end.width();
    let settled = places.iter().rev().take_while(|place| {
        (place.min - end.min).abs() <= tolerance && (place.max - end.max).abs() <= tolerance
    });
    (places.len() + 1 - settled.count()) * CHUNK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Activation, Filter, Shape};

    #[test]
    fn a_range_is_stable_after_its_last_jump() {
        let range = |max| Range { min: 0.0, max };
        assert_eq!(stable_after(&[range(1.0), range(5.0), range(5.99), range(6.0)]), 3 * CHUNK);
        assert_eq!(stable_after(&[range(6.0), range(6.0)]), CHUNK);
    }

    #[test]
    fn ranges_of_a_known_network() {
        let mut graph = Graph::new(Shape::new(1, 1, 2));
        let filter = Filter::new(vec![2.0, 0.0, 0.0, -4.0], vec![0.0, 1.0]).unwrap();
        let input = graph.input();
        graph.add("dense", Operator::FullyConnected(filter), Activation::Relu6, &[input]).unwrap();
        let images: Vec<Vec<f32>> = (0..=40).map(|i| vec![i as f32 / 40.0, 1.0 - i as f32 / 40.0]).collect();
        let unit = Range { min: 0.0, max: 1.0 };
        let found = calibrate(&graph, &images, unit, Method::Minmax).unwrap();
        assert_eq!(found.tensors[0].range, unit);
        assert_eq!(found.tensors[1].observed, Range { min: 0.0, max: 2.0 });
        assert_eq!((found.samples, found.tensors[1].clipped), (41, 0.0));
        assert_eq!(found.tensors[1].stable_after, 41, "the largest value comes with the last image");
        assert!(calibrate(&graph, &[], unit, Method::Minmax).is_err());
    }
}
