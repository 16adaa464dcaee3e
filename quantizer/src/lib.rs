//! From a float network to an int8 model image.
//!
//! | module | subject |
//! | --- | --- |
//! | [`graph`] | the float network, batch norm folded |
//! | [`float`] | runs it, every tensor tapped |
//! | [`calibrate`] | the ranges of its activations, from real images |
//! | [`quantize`] | weights, biases and multipliers in int8 |
//! | [`plan`] | where each tensor lies in the arena |
//! | [`image`] | the model image that `edge8` executes |
//! | [`onnx`] | ONNX files in and out |
//! | [`samples`] | pictures and arrays as a network's inputs |
//! | [`tflite`] | `.tflite` files in and out |
//! | [`reject`] | when an output is no answer |
//! | [`check`] | float and int8 on the same images |
//! | [`compare`] | int8 and int8 on the same inputs, layer by layer |
//!
//! A small network of one's own, from graph to image:
//!
//! ```
//! use quantizer::graph::{Activation, Filter, Graph, Operator, Shape};
//! use quantizer::quantize::Range;
//!
//! let mut graph = Graph::new(Shape::new(1, 1, 2));
//! let filter = Filter::new(vec![0.5, -0.25], vec![0.125])?;
//! let input = graph.input();
//! graph.add("dense", Operator::FullyConnected(filter), Activation::Relu6, &[input])?;
//!
//! let ranges = [Range { min: 0.0, max: 1.0 }, Range { min: 0.0, max: 0.6 }];
//! let network = quantizer::quantize::quantise(&graph, &ranges)?;
//! let image = quantizer::image::write(&network, &quantizer::image::Extras::default())?;
//! assert_eq!(edge8::Model::parse(&image)?.operators().count(), 1);
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod calibrate;
pub mod check;
pub mod compare;
mod convert;
mod engine;
pub mod float;
mod float_network;
pub mod graph;
pub mod image;
mod noise;
pub mod onnx;
pub mod plan;
pub mod quantize;
pub mod reject;
pub mod samples;
#[cfg(test)]
mod testing;
pub mod tflite;

pub use convert::{Conversion, convert};
pub use float_network::{FloatNetwork, normalisation};
pub use noise::signal_to_noise;
