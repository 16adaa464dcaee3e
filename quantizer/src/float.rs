//! The float graph, run by `tract-core`: the reference for int8, and the source of the ranges.

use crate::graph::{Activation, Filter, Graph, Node, Operator, Padding, Shape, TensorId, Window};
use anyhow::{Context, Result, ensure};
use std::sync::Arc;
use tract_core::internal::*;
use tract_core::ops::cnn::{Conv, KernelFormat, PaddingSpec, PoolSpec};
use tract_core::ops::math;
use tract_core::ops::nn::{DataFormat, Reduce, Reducer, Softmax, SoftmaxKind};

/// A float graph made ready to run on one image at a time. Cheap to share between threads.
#[derive(Debug)]
pub struct Engine {
    plan: Arc<TypedSimplePlan>,
    input: Shape,
}

impl Engine {
    /// Makes a graph ready; `outputs` are the tensors that [`run`](Self::run) returns, in that order.
    ///
    /// # Errors
    /// If tract refuses the graph.
    pub fn new(graph: &Graph, outputs: &[TensorId]) -> Result<Self> {
        let mut model = TypedModel::default();
        let input = graph.tensor(graph.input()).shape;
        let mut wires = vec![model.add_source("input", f32::fact(nhwc(input)))?];
        for node in graph.nodes() {
            let inputs: Vec<OutletId> = node.inputs.iter().map(|id| wires[id.index()]).collect();
            let wire =
                wire(&mut model, graph, node, &inputs).with_context(|| format!("node \"{}\"", node.name))?;
            wires.push(wire);
        }
        let outputs: Vec<OutletId> = outputs.iter().map(|id| wires[id.index()]).collect();
        model.select_output_outlets(&outputs)?;
        Ok(Self { plan: model.into_optimized()?.into_runnable()?, input })
    }

    /// Every tensor of the graph is an output, in the order of [`Graph::tensors`].
    ///
    /// # Errors
    /// If tract refuses the graph.
    pub fn tapped(graph: &Graph) -> Result<Self> {
        let all: Vec<TensorId> = (0..graph.tensors().len()).map(TensorId).collect();
        Self::new(graph, &all)
    }

    /// Runs one image, `[rows][columns][channels]`, and hands each output to `visit` with its position.
    ///
    /// # Errors
    /// If the image has the wrong length, or tract fails.
    pub fn run(&self, image: &[f32], mut visit: impl FnMut(usize, &[f32])) -> Result<()> {
        let expected = self.input.volume();
        ensure!(image.len() == expected, "the network reads {expected} values, found {}", image.len());
        let tensor = tract_core::prelude::Tensor::from_shape(&nhwc(self.input), image)?;
        let outputs = self.plan.run(tvec![tensor.into_tvalue()])?;
        for (index, output) in outputs.iter().enumerate() {
            visit(index, output.view().as_slice::<f32>()?);
        }
        Ok(())
    }
}

/// The tensor that decides the class: what a final softmax reads, or the output itself.
pub fn logits(graph: &Graph) -> TensorId {
    match graph.nodes().last() {
        Some(node) if matches!(node.operator, Operator::Softmax) => node.inputs[0],
        _ => graph.output(),
    }
}

fn nhwc(shape: Shape) -> [usize; 4] {
    [1, shape.height, shape.width, shape.channels]
}

fn wire(model: &mut TypedModel, graph: &Graph, node: &Node, inputs: &[OutletId]) -> Result<OutletId> {
    let input = graph.tensor(node.inputs[0]).shape;
    let name = node.name.as_str();
    let result = match &node.operator {
        Operator::Conv2d(window, filter) => convolution(model, name, window, filter, 1, input, inputs[0])?,
        Operator::DepthwiseConv2d(window, filter) => {
            convolution(model, name, window, filter, input.channels, input, inputs[0])?
        }
        Operator::FullyConnected(filter) => {
            let window =
                Window { kernel: [input.height, input.width], stride: [1, 1], padding: Padding::Valid };
            convolution(model, name, &window, filter, 1, input, inputs[0])?
        }
        Operator::Add => model.wire_node(name, math::add(), inputs)?[0],
        Operator::Mean => {
            let sum = Reduce::new(tvec![1, 2], Reducer::Sum);
            let sum = model.wire_node(format!("{name}.sum"), sum, inputs)?[0];
            let count = (input.height * input.width) as f32;
            let count = model.add_const(format!("{name}.count"), scalar(1.0 / count)?)?;
            model.wire_node(name, math::mul(), &[sum, count])?[0]
        }
        Operator::Softmax => {
            model.wire_node(name, Softmax::new(tvec![3], None, SoftmaxKind::Softmax), inputs)?[0]
        }
    };
    activate(model, name, node.activation, result)
}

/// A fully connected layer is a convolution whose window is the whole input.
fn convolution(
    model: &mut TypedModel,
    name: &str,
    window: &Window,
    filter: &Filter,
    group: usize,
    input: Shape,
    wire: OutletId,
) -> Result<OutletId> {
    let pool = PoolSpec {
        data_format: DataFormat::NHWC,
        kernel_shape: TVec::from_slice(&window.kernel),
        padding: match window.padding {
            Padding::Same => PaddingSpec::SameUpper,
            Padding::Valid => PaddingSpec::Valid,
        },
        dilations: None,
        strides: Some(TVec::from_slice(&window.stride)),
        input_channels: input.channels,
        output_channels: filter.channels(),
    };
    let [rows, columns] = window.kernel;
    // A depthwise row has a single input channel, so its order is that of OIHW too; tract wants it in that form.
    let (format, shape) = if group == 1 {
        (KernelFormat::OHWI, [filter.channels(), rows, columns, input.channels])
    } else {
        (KernelFormat::OIHW, [filter.channels(), 1, rows, columns])
    };
    let weights = tract_core::prelude::Tensor::from_shape(&shape, filter.weights())?;
    let weights = model.add_const(format!("{name}.weights"), weights)?;
    let bias = model.add_const(format!("{name}.bias"), tensor1(filter.bias()))?;
    let convolution = Conv::new(pool, format, group, None);
    Ok(model.wire_node(name, convolution, &[wire, weights, bias])?[0])
}

fn activate(model: &mut TypedModel, name: &str, activation: Activation, wire: OutletId) -> Result<OutletId> {
    let (low, high) = activation.bounds();
    let mut wire = wire;
    if low.is_finite() {
        let low = model.add_const(format!("{name}.low"), scalar(low)?)?;
        wire = model.wire_node(format!("{name}.max"), math::max(), &[wire, low])?[0];
    }
    if high.is_finite() {
        let high = model.add_const(format!("{name}.high"), scalar(high)?)?;
        wire = model.wire_node(format!("{name}.min"), math::min(), &[wire, high])?[0];
    }
    Ok(wire)
}

/// A constant that broadcasts over NHWC.
fn scalar(value: f32) -> Result<tract_core::prelude::Tensor> {
    tract_core::prelude::Tensor::from_shape(&[1, 1, 1, 1], &[value])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::from_safetensors;
    use crate::testing::{Random, mobilenet};

    /// The definition, in f64: a tap at a time.
    fn windowed(graph: &Graph, node: &Node, window: &Window, filter: &Filter, x: &[f64]) -> Vec<f64> {
        let (input, output) = (graph.tensor(node.inputs[0]).shape, graph.tensor(node.output).shape);
        let depthwise = matches!(node.operator, Operator::DepthwiseConv2d(..));
        let pad = window.pad_before([input.height, input.width]);
        let depth = if depthwise { 1 } else { input.channels };
        let mut y = Vec::new();
        for index in 0..output.volume() {
            let (pixel, channel) = (index / output.channels, index % output.channels);
            let [oy, ox] = [pixel / output.width, pixel % output.width];
            let mut sum = f64::from(filter.bias()[channel]);
            for tap in 0..window.kernel[0] * window.kernel[1] {
                let iy = (oy * window.stride[0] + tap / window.kernel[1]).wrapping_sub(pad[0]);
                let ix = (ox * window.stride[1] + tap % window.kernel[1]).wrapping_sub(pad[1]);
                if iy >= input.height || ix >= input.width {
                    continue;
                }
                for c in 0..depth {
                    let weight = filter.weights()[channel * filter.row_len() + tap * depth + c];
                    let from = if depthwise { channel } else { c };
                    sum += f64::from(weight) * x[(iy * input.width + ix) * input.channels + from];
                }
            }
            y.push(sum);
        }
        y
    }

    fn definition(graph: &Graph, image: &[f32]) -> Vec<Vec<f64>> {
        let mut values: Vec<Vec<f64>> = vec![image.iter().map(|&x| f64::from(x)).collect()];
        for node in graph.nodes() {
            let x = &values[node.inputs[0].index()];
            let input = graph.tensor(node.inputs[0]).shape;
            let y = match &node.operator {
                Operator::Conv2d(window, filter) | Operator::DepthwiseConv2d(window, filter) => {
                    windowed(graph, node, window, filter, x)
                }
                Operator::FullyConnected(filter) => {
                    let row = |o: usize| filter.weights()[o * x.len()..].iter().zip(x);
                    let sum = |o: usize| row(o).map(|(&w, x)| f64::from(w) * x).sum::<f64>();
                    (0..filter.channels()).map(|o| f64::from(filter.bias()[o]) + sum(o)).collect()
                }
                Operator::Add => x.iter().zip(&values[node.inputs[1].index()]).map(|(a, b)| a + b).collect(),
                Operator::Mean => {
                    let sum = |c: usize| x.iter().skip(c).step_by(input.channels).sum::<f64>();
                    (0..input.channels).map(|c| sum(c) / (input.height * input.width) as f64).collect()
                }
                Operator::Softmax => {
                    let sum: f64 = x.iter().map(|x| x.exp()).sum();
                    x.iter().map(|x| x.exp() / sum).collect()
                }
            };
            let (low, high) = node.activation.bounds();
            values.push(y.into_iter().map(|y: f64| y.clamp(low.into(), high.into())).collect());
        }
        values
    }

    #[test]
    fn every_tensor_is_what_its_definition_says() {
        for (side, stem_stride) in [(32, 1), (33, 2)] {
            let graph = from_safetensors(&mobilenet(side, stem_stride, 7)).unwrap();
            let mut random = Random::new(8);
            let image: Vec<f32> = (0..side * side).map(|_| random.below(256) as f32 / 255.0).collect();
            let expected = definition(&graph, &image);
            let mut seen = 0;
            let engine = Engine::tapped(&graph).unwrap();
            engine
                .run(&image, |tensor, found| {
                    seen += 1;
                    assert_eq!(found.len(), expected[tensor].len());
                    for (&a, &b) in found.iter().zip(&expected[tensor]) {
                        let name = &graph.tensors()[tensor].name;
                        assert!((f64::from(a) - b).abs() < 1e-4, "{name}: {a} is not {b}");
                    }
                })
                .unwrap();
            assert_eq!(seen, graph.tensors().len());
        }
    }
}
