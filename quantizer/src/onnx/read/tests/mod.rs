//! Small ONNX files, run by tract as they are and as the graph that was read.

mod damage;
mod forms;
mod refusals;

use super::{Import, import, parse};
use crate::float::Engine;
use crate::graph::{Graph, Node};
use crate::samples::Layout;
use crate::testing::Random;
use anyhow::Result;
use mobilenet::onnx::schema::{AttributeProto, ModelProto, StringStringEntryProto};
use mobilenet::onnx::{Dimension, GraphBuilder, tensor};
use prost::Message;
use std::path::Path;
use tract_onnx::prelude::*;

/// A network that grows by an operator at a time.
struct Network {
    builder: GraphBuilder,
    random: Random,
    input: Vec<usize>,
    /// The name of what was added last.
    at: String,
}

impl Network {
    /// With an input of these sides behind a free batch.
    fn new(input: &[usize]) -> Self {
        let mut builder = GraphBuilder::new("test");
        let sides = input.iter().map(|&side| Dimension::Fixed(side));
        let shape: Vec<_> = std::iter::once(Dimension::Free("N")).chain(sides).collect();
        let at = builder.input("input", &shape, "");
        Self { builder, random: Random::new(9), input: input.to_vec(), at }
    }

    /// Adds an operator that reads what was added last and these constants.
    fn add<const N: usize>(
        mut self,
        operator: &str,
        constants: &[String],
        attributes: [AttributeProto; N],
    ) -> Self {
        let inputs: Vec<_> = std::iter::once(self.at).chain(constants.iter().cloned()).collect();
        self.at = self.builder.node(operator, &operator.to_lowercase(), &inputs, attributes);
        self
    }

    /// A constant with values in [low, high).
    fn uniform(&mut self, shape: &[usize], low: f32, high: f32) -> String {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| self.random.uniform(low, high)).collect();
        self.builder.initializer("constant", tensor(shape, &values))
    }

    fn weights(&mut self, shape: &[usize]) -> String {
        self.uniform(shape, -0.5, 0.5)
    }

    fn floats(&mut self, shape: &[usize], values: &[f32]) -> String {
        self.builder.initializer("constant", tensor(shape, values))
    }

    fn integers(&mut self, values: &[i64]) -> String {
        self.builder.initializer("constant", tensor(&[values.len()], values))
    }

    fn finish(mut self) -> (Vec<u8>, Vec<usize>) {
        self.builder.output(&self.at, &[], "");
        (self.builder.finish("", []), self.input)
    }

    fn read(self) -> Result<Import> {
        parse(&self.finish().0, Path::new(""))
    }

    /// Reads the network and compares the graph's answers with those of tract on the file itself.
    fn verify(self) -> Graph {
        let (bytes, sides) = self.finish();
        let Import { graph, layout } = parse(&bytes, Path::new("")).unwrap();
        let mut random = Random::new(2);
        let image: Vec<f32> = (0..sides.iter().product()).map(|_| random.uniform(-2.0, 3.0)).collect();
        let (shape, expected) = reference(&bytes, &sides, &image);
        let image = match (layout, &sides[..]) {
            (Layout::Nchw, &[channels, height, width]) => channels_last(&image, channels, height * width),
            _ => image,
        };
        let expected = match shape[..] {
            [_, channels, height, width] => channels_last(&expected, channels, height * width),
            _ => expected,
        };
        let engine = Engine::new(&graph, &[graph.output()]).unwrap();
        let run = |_: usize, found: &[f32]| {
            assert_eq!(found.len(), expected.len());
            assert!(
                found.iter().any(|value| *value != found[0]) || found.len() == 1,
                "{found:?} proves nothing"
            );
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-4, "{a} is not {b}");
            }
        };
        engine.run(&image, run).unwrap();
        graph
    }
}

/// Shape and values of the output as tract has them.
fn reference(bytes: &[u8], sides: &[usize], image: &[f32]) -> (Vec<usize>, Vec<f32>) {
    let onnx = tract_onnx::onnx().with_ignore_output_shapes(true);
    let mut model = onnx.model_for_read(&mut &*bytes).unwrap();
    let shape = [&[1], sides].concat();
    model.set_input_fact(0, f32::fact(&shape).into()).unwrap();
    let model = model.into_optimized().unwrap().into_runnable().unwrap();
    let output = model.run(tvec![Tensor::from_shape(&shape, image).unwrap().into()]).unwrap();
    (output[0].shape().to_vec(), output[0].view().as_slice::<f32>().unwrap().to_vec())
}

fn channels_last(values: &[f32], channels: usize, pixels: usize) -> Vec<f32> {
    (0..values.len()).map(|index| values[index % channels * pixels + index / channels]).collect()
}

fn operators(graph: &Graph) -> Vec<&'static str> {
    graph.nodes().iter().map(|node: &Node| node.operator.name()).collect()
}

/// Weights may lie in a file beside the network.
#[test]
fn values_in_another_file_are_found() {
    let mut network = Network::new(&[6]);
    let weights = network.weights(&[6, 2]);
    let mut proto = ModelProto::decode(&*network.add("MatMul", &[weights], []).finish().0).unwrap();
    let whole = import(&proto, Path::new("")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tensor = &mut proto.graph.as_mut().unwrap().initializer[0];
    let bytes = [&[1, 2, 3][..], &std::mem::take(&mut tensor.raw_data), &[4]].concat();
    std::fs::write(folder.path().join("weights.bin"), bytes).unwrap();
    let entries = [("location", "weights.bin"), ("offset", "3"), ("length", "48")];
    let entry = |(key, value): (&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
    (tensor.external_data, tensor.data_location) = (entries.map(entry).to_vec(), 1);
    let filter = |import: &Import| import.graph.nodes()[0].operator.filter().unwrap().weights().to_vec();
    assert_eq!(filter(&import(&proto, folder.path()).unwrap()), filter(&whole));
    std::fs::write(folder.path().join("weights.bin"), [0; 50]).unwrap();
    let error = format!("{:#}", import(&proto, folder.path()).unwrap_err());
    assert!(error.contains("has 50 bytes, its values are 48 from 3 on"), "{error}");
}
