//! The trained MobileNetV2 as a graph.

use super::fold::{BatchNorm, fold};
use super::network::{Graph, TensorId};
use super::operator::{Activation, Filter, Operator};
use super::shape::Shape;
use super::window::Window;
use anyhow::{Context, Result};
use mobilenet::ModelFile;
use mobilenet::{BATCH_NORM_EPSILON, Block, Dense};

const RELU6: Activation = Activation::Relu6;
const LINEAR: Activation = Activation::None;

/// The network of a safetensors file, batch norms folded, with a softmax at the end.
///
/// # Errors
/// If a tensor is absent, has another shape than the architecture says, or holds values that are not finite.
pub fn from_safetensors(file: &ModelFile) -> Result<Graph> {
    let architecture = &file.architecture;
    let [rows, columns] = architecture.input;
    let shape = Shape::new(rows, columns, architecture.channels);
    let mut builder = Builder { file, graph: Graph::new(shape) };
    let filter = builder.convolution("stem", &[3, 3, shape.channels, architecture.stem_channels()])?;
    let stem = Operator::Conv2d(window3(architecture.stem_stride, shape), filter);
    let input = builder.graph.input();
    let mut at = builder.graph.add("stem", stem, RELU6, &[input])?;
    for (index, block) in architecture.blocks().iter().enumerate() {
        at = builder.block(index, block, at)?;
    }
    at = builder.pointwise("last", RELU6, at, architecture.last_channels())?;
    at = builder.graph.add("pool", Operator::Mean, LINEAR, &[at])?;
    at = builder.head(&architecture.dense_layers(), at)?;
    builder.graph.add("softmax", Operator::Softmax, LINEAR, &[at])?;
    Ok(builder.graph)
}

struct Builder<'a> {
    file: &'a ModelFile,
    graph: Graph,
}

impl Builder<'_> {
    /// An inverted residual.
    fn block(&mut self, index: usize, block: &Block, input: TensorId) -> Result<TensorId> {
        let name = |part: &str| format!("blocks.{index}.{part}");
        let mut at = input;
        if let Some(channels) = block.expand {
            at = self.pointwise(&name("expand"), RELU6, at, channels)?;
        }
        let depthwise = name("depthwise");
        let filter = self.convolution(&depthwise, &[3, 3, block.middle()])?;
        let window = window3(block.stride, self.graph.tensor(at).shape);
        let operator = Operator::DepthwiseConv2d(window, filter);
        at = self.graph.add(depthwise, operator, RELU6, &[at])?;
        at = self.pointwise(&name("project"), LINEAR, at, block.output)?;
        if block.residual() {
            at = self.graph.add(name("add"), Operator::Add, LINEAR, &[input, at])?;
        }
        Ok(at)
    }

    /// The dense layers, with ReLU between them.
    fn head(&mut self, layers: &[Dense], mut at: TensorId) -> Result<TensorId> {
        for (index, layer) in layers.iter().enumerate() {
            let activation = if index + 1 < layers.len() { Activation::Relu } else { LINEAR };
            at = self.dense(layer, activation, at)?;
        }
        Ok(at)
    }

    fn pointwise(
        &mut self,
        name: &str,
        activation: Activation,
        input: TensorId,
        channels: usize,
    ) -> Result<TensorId> {
        let inputs = self.graph.tensor(input).shape.channels;
        let filter = self.convolution(name, &[inputs, channels])?;
        self.graph.add(name, Operator::Conv2d(Window::POINT, filter), activation, &[input])
    }

    fn dense(&mut self, layer: &Dense, activation: Activation, input: TensorId) -> Result<TensorId> {
        let &Dense { name, inputs, units } = layer;
        let weights = self.file.tensor(&format!("{name}.weight"), &[inputs, units])?;
        let bias = self.file.tensor(&format!("{name}.bias"), &[units])?;
        let filter = Filter::new(rows(weights, units), bias.to_vec());
        let filter = filter.with_context(|| format!("layer \"{name}\""))?;
        self.graph.add(name, Operator::FullyConnected(filter), activation, &[input])
    }

    /// Weights of a shape whose last side is the output channel, and the batch norm behind them.
    fn convolution(&self, name: &str, shape: &[usize]) -> Result<Filter> {
        let channels = shape[shape.len() - 1];
        let weights = self.file.tensor(&format!("{name}.weight"), shape)?;
        let vector = |part: &str| self.file.tensor(&format!("{name}.{part}"), &[channels]);
        let norm = BatchNorm {
            gamma: vector("gamma")?,
            beta: vector("beta")?,
            mean: vector("mean")?,
            variance: vector("variance")?,
            epsilon: BATCH_NORM_EPSILON,
        };
        fold(&rows(weights, channels), &norm).with_context(|| format!("layer \"{name}\" and its batch norm"))
    }
}

fn window3(stride: usize, input: Shape) -> Window {
    Window::same([3, 3], [stride, stride], [input.height, input.width])
}

/// One row per output channel, from weights whose fastest index is the output channel.
fn rows(weights: &[f32], channels: usize) -> Vec<f32> {
    (0..channels).flat_map(|channel| weights.iter().skip(channel).step_by(channels).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::float::Engine;
    use crate::testing::{Random, colour_mobilenet, mobilenet};
    use tract_onnx::prelude::{Framework, InferenceModelExt, IntoRunnable, Tensor, tvec};

    #[test]
    fn the_exported_network_is_the_same() {
        for file in [mobilenet(33, 2, 2), colour_mobilenet(3)] {
            let graph = from_safetensors(&file).unwrap();
            let shape = graph.tensor(graph.input()).shape;
            let mut random = Random::new(4);
            let image: Vec<f32> = (0..shape.volume()).map(|_| random.uniform(0.0, 1.0)).collect();
            let mut found = Vec::new();
            let engine = Engine::new(&graph, &[graph.output()]).unwrap();
            engine.run(&image, |_, values| found.extend_from_slice(values)).unwrap();
            let expected = exported(&file, shape, &image);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5, "{found}, exported {expected}");
            }
            let [least, most] = [f32::min, f32::max].map(|pick| found.iter().copied().reduce(pick).unwrap());
            assert!(most - least > 0.01, "equal probabilities prove nothing: {found:?}");
        }
    }

    /// What tract makes of the network's ONNX file.
    fn exported(file: &ModelFile, shape: Shape, image: &[f32]) -> Vec<f32> {
        let onnx = mobilenet::onnx::export(file).unwrap();
        let model = tract_onnx::onnx().model_for_read(&mut &*onnx).unwrap();
        let model = model.into_optimized().unwrap().into_runnable().unwrap();
        let planes = (0..shape.channels).flat_map(|plane| image.iter().skip(plane).step_by(shape.channels));
        let planes: Vec<f32> = planes.copied().collect();
        let input = Tensor::from_shape(&[1, shape.channels, shape.height, shape.width], &planes).unwrap();
        let outputs = model.run(tvec![input.into()]).unwrap();
        outputs[0].view().as_slice::<f32>().unwrap().to_vec()
    }

    #[test]
    fn the_head_is_one_layer_or_two() {
        let dense = |file: &ModelFile| -> Vec<(String, Activation)> {
            let graph = from_safetensors(file).unwrap();
            let nodes = graph.nodes().iter().filter(|node| node.name.starts_with("dense"));
            nodes.map(|node| (node.name.clone(), node.activation)).collect()
        };
        let two = [("dense1".to_owned(), Activation::Relu), ("dense2".to_owned(), LINEAR)];
        assert_eq!(dense(&mobilenet(32, 1, 1)), two);
        assert_eq!(dense(&colour_mobilenet(1)), [("dense".to_owned(), LINEAR)]);
    }

    #[test]
    fn a_missing_tensor_is_named() {
        let mut file = mobilenet(32, 1, 1);
        file.tensors.remove("blocks.4.depthwise.beta");
        let error = format!("{:#}", from_safetensors(&file).unwrap_err());
        assert!(error.contains("blocks.4.depthwise.beta"), "{error}");
    }

    #[test]
    fn a_layer_that_folds_to_infinity_is_named() {
        let mut file = mobilenet(32, 1, 1);
        file.tensors.get_mut("blocks.4.depthwise.gamma").unwrap().values[0] = f32::MAX;
        file.tensors.get_mut("blocks.4.depthwise.weight").unwrap().values[0] = 10.0;
        let error = format!("{:#}", from_safetensors(&file).unwrap_err());
        assert!(
            error.contains("\"blocks.4.depthwise\" and its batch norm: a weight or bias is not finite"),
            "{error}"
        );
    }
}
