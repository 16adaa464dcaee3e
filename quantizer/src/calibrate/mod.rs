//! Calibration: the range of every activation, from running the float network on real images.

mod entropy;
mod finite;
mod histogram;
mod method;
mod mse;
mod search;

pub use finite::NotFinite;
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
/// Without images, if one has the wrong length, or if the network's values leave 32-bit floats: [`NotFinite`] where that
/// shows for an image.
pub fn calibrate(graph: &Graph, images: &[Vec<f32>], input: Range, method: Method) -> Result<Calibration> {
    ensure!(!images.is_empty(), "calibration needs at least one image");
    let engine = Engine::tapped(graph)?;
    let extremes = extremes(graph, &engine, images)?;
    let last = extremes.last().map_or(&[][..], Vec::as_slice);
    finite::check_sums(graph, last)?;
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
fn extremes(graph: &Graph, engine: &Engine, images: &[Vec<f32>]) -> Result<Vec<Vec<Range>>> {
    let mut so_far = vec![Range::EMPTY; graph.tensors().len()];
    let mut extremes = Vec::new();
    for (chunk, images) in images.chunks(CHUNK).enumerate() {
        let ranges = |(place, image): (usize, &Vec<f32>)| ranges(graph, engine, chunk * CHUNK + place, image);
        for ranges in images.par_iter().enumerate().map(ranges).collect::<Vec<_>>() {
            so_far.iter_mut().zip(ranges?).for_each(|(sum, range)| *sum = sum.union(range));
        }
        extremes.push(so_far.clone());
    }
    Ok(extremes)
}

/// The range of each tensor for one image; `index` is that of the image.
fn ranges(graph: &Graph, engine: &Engine, index: usize, image: &[f32]) -> Result<Vec<Range>> {
    let mut ranges = Vec::new();
    engine.run(image, |tensor, values| {
        ranges.push(finite::range(index, &graph.tensors()[tensor].name, values));
    })?;
    Ok(ranges.into_iter().collect::<Result<_, NotFinite>>()?)
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

    /// A network of one row of weights.
    fn dense(weights: &[f32], activation: Activation) -> Graph {
        let mut graph = Graph::new(Shape::new(1, 1, weights.len()));
        let filter = Filter::new(weights.to_vec(), vec![0.0]).unwrap();
        let input = graph.input();
        graph.add("dense", Operator::FullyConnected(filter), activation, &[input]).unwrap();
        graph
    }

    fn refusal(graph: &Graph, images: &[Vec<f32>]) -> anyhow::Error {
        calibrate(graph, images, Range { min: 0.0, max: 1.0 }, Method::Minmax).unwrap_err()
    }

    #[test]
    fn an_image_that_overflows_is_named_with_the_layer() {
        let graph = dense(&[1e30, 1.0], Activation::None);
        let mut images = vec![vec![1.0, 1.0]; 40];
        images[21] = vec![1e20, 0.0];
        let error = refusal(&graph, &images);
        let found = error.downcast_ref::<NotFinite>().unwrap();
        assert_eq!(*found, NotFinite { image: 21, tensor: "dense".into(), value: f32::INFINITY });
        let text = found.to_string();
        assert!(
            text.starts_with("image 21: \"dense\" of the float network holds inf: the weights"),
            "{text}"
        );

        images[21] = vec![1.0, f32::NAN];
        let text = refusal(&graph, &images).to_string();
        assert!(text.starts_with("image 21: \"input\" of the float network holds NaN"), "{text}");
        assert!(text.contains("check the normalisation"), "{text}");
    }

    /// Infinity less infinity is no number, and a ReLU makes 0 of it; in another order all cancels.
    #[test]
    fn sums_that_an_activation_would_hide_are_refused() {
        let graph = dense(&[3e38, -3e38, 3e38, -3e38], Activation::Relu);
        let text = refusal(&graph, &[vec![1.0, 1.0, 1.0, 1.0]]).to_string();
        assert!(text.contains("layer \"dense\" of the float network forms sums of up to 1.2"), "{text}");
    }

    #[test]
    fn a_range_wider_than_floats_is_refused() {
        let graph = dense(&[3e38], Activation::None);
        let text = refusal(&graph, &[vec![1.0], vec![-1.0]]).to_string();
        assert!(text.contains("\"dense\" of the float network has values from -3"), "{text}");
    }
}
