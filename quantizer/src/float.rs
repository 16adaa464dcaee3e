//! The float graph, run by `tract-core`: the reference for int8, and the source of the ranges.

use crate::graph::{Activation, Filter, Graph, Node, Operator, Shape, TensorId, Window};
use anyhow::{Context, Result, ensure};
use std::sync::Arc;
use tract_core::internal::*;
use tract_core::ops::array::{Pad, PadMode};
use tract_core::ops::cnn::{Conv, KernelFormat, MaxPool, PaddingSpec, PoolSpec, SumPool};
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
            let window = Window::valid([input.height, input.width], [1, 1]);
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
        Operator::AveragePool2d(window) => {
            let pool = SumPool {
                pool_spec: pool_spec(window, input.channels, input.channels),
                count_include_pad: false,
                normalize: true,
            };
            model.wire_node(name, pool, inputs)?[0]
        }
        Operator::MaxPool2d(window) => {
            let pool = MaxPool {
                pool_spec: pool_spec(window, input.channels, input.channels),
                with_index_outputs: None,
            };
            model.wire_node(name, pool, inputs)?[0]
        }
        Operator::Pad(border) => {
            let side = |axis: usize| (border.before[axis], border.after[axis]);
            let zero = tract_core::prelude::Tensor::from(0f32).into_arc_tensor();
            let pad = Pad::new(vec![(0, 0), side(0), side(1), side(2)], PadMode::Constant(zero));
            model.wire_node(name, pad, inputs)?[0]
        }
        Operator::Reshape(shape) => {
            let dims = |shape: Shape| nhwc(shape).iter().map(|&n| n.to_dim()).collect();
            model.wire_node(name, AxisOp::Reshape(0, dims(input), dims(*shape)), inputs)?[0]
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
    let pool = pool_spec(window, input.channels, filter.channels());
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

fn pool_spec(window: &Window, input_channels: usize, output_channels: usize) -> PoolSpec {
    PoolSpec {
        data_format: DataFormat::NHWC,
        kernel_shape: TVec::from_slice(&window.kernel),
        padding: PaddingSpec::Explicit(TVec::from_slice(&window.before), TVec::from_slice(&window.after)),
        dilations: None,
        strides: Some(TVec::from_slice(&window.stride)),
        input_channels,
        output_channels,
    }
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
    use crate::graph::{Border, from_safetensors};
    use crate::testing::{Random, colour_mobilenet, mobilenet};

    /// The definition, in f64: a tap at a time.
    fn windowed(graph: &Graph, node: &Node, window: &Window, filter: &Filter, x: &[f64]) -> Vec<f64> {
        let (input, output) = (graph.tensor(node.inputs[0]).shape, graph.tensor(node.output).shape);
        let depthwise = matches!(node.operator, Operator::DepthwiseConv2d(..));
        let pad = window.before;
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
                    let from = if depthwise { channel * input.channels / output.channels } else { c };
                    sum += f64::from(weight) * x[(iy * input.width + ix) * input.channels + from];
                }
            }
            y.push(sum);
        }
        y
    }

    /// The values under a pool's window that lie in the image.
    fn pooled(
        graph: &Graph,
        node: &Node,
        window: &Window,
        x: &[f64],
        reduce: impl Fn(&[f64]) -> f64,
    ) -> Vec<f64> {
        let (input, output) = (graph.tensor(node.inputs[0]).shape, graph.tensor(node.output).shape);
        let rows = |position: usize, axis: usize, size: usize| {
            let first = position * window.stride[axis];
            (first..first + window.kernel[axis])
                .filter_map(move |at| at.checked_sub(window.before[axis]).filter(|&at| at < size))
        };
        let mut y = Vec::new();
        for index in 0..output.volume() {
            let (pixel, channel) = (index / output.channels, index % output.channels);
            let mut values = Vec::new();
            for row in rows(pixel / output.width, 0, input.height) {
                for column in rows(pixel % output.width, 1, input.width) {
                    values.push(x[(row * input.width + column) * input.channels + channel]);
                }
            }
            y.push(reduce(&values));
        }
        y
    }

    fn padded(border: &Border, input: Shape, x: &[f64]) -> Vec<f64> {
        let output = border.output(input);
        let mut y = vec![0.0; output.volume()];
        for (index, &value) in x.iter().enumerate() {
            let (pixel, channel) = (index / input.channels, index % input.channels);
            let (row, column) = (pixel / input.width, pixel % input.width);
            let [above, left, below] = border.before;
            let at = ((above + row) * output.width + left + column) * output.channels + below + channel;
            y[at] = value;
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
                Operator::Add => {
                    let second = graph.tensor(node.inputs[1]).shape;
                    let at = |index: usize| {
                        let (pixel, channel) = (index / input.channels, index % input.channels);
                        let row = pixel / input.width % second.height;
                        let column = pixel % input.width % second.width;
                        (row * second.width + column) * second.channels + channel % second.channels
                    };
                    let other = &values[node.inputs[1].index()];
                    x.iter().enumerate().map(|(index, a)| a + other[at(index)]).collect()
                }
                Operator::AveragePool2d(window) => {
                    pooled(graph, node, window, x, |values| values.iter().sum::<f64>() / values.len() as f64)
                }
                Operator::MaxPool2d(window) => {
                    let largest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    pooled(graph, node, window, x, largest)
                }
                Operator::Pad(border) => padded(border, input, x),
                Operator::Reshape(_) => x.clone(),
                Operator::Mean => {
                    let sum = |c: usize| x.iter().skip(c).step_by(input.channels).sum::<f64>();
                    (0..input.channels).map(|c| sum(c) / (input.height * input.width) as f64).collect()
                }
                Operator::Softmax => x
                    .chunks(input.channels)
                    .flat_map(|pixel| {
                        let sum: f64 = pixel.iter().map(|x| x.exp()).sum();
                        pixel.iter().map(move |x| x.exp() / sum)
                    })
                    .collect(),
            };
            let (low, high) = node.activation.bounds();
            values.push(y.into_iter().map(|y: f64| y.clamp(low.into(), high.into())).collect());
        }
        values
    }

    fn assert_defined(graph: &Graph) {
        let mut random = Random::new(8);
        let volume = graph.tensor(graph.input()).shape.volume();
        let image: Vec<f32> = (0..volume).map(|_| random.below(256) as f32 / 255.0).collect();
        let expected = definition(graph, &image);
        let mut seen = 0;
        let engine = Engine::tapped(graph).unwrap();
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

    #[test]
    fn every_tensor_of_mobilenet_is_what_its_definition_says() {
        for (side, stem_stride) in [(32, 1), (33, 2)] {
            assert_defined(&from_safetensors(&mobilenet(side, stem_stride, 7)).unwrap());
        }
        assert_defined(&from_safetensors(&colour_mobilenet(9)).unwrap());
    }

    #[test]
    fn so_is_that_of_every_other_operator() {
        let mut random = Random::new(3);
        let mut filter = |rows: usize, row: usize| {
            let weights = (0..rows * row).map(|_| random.uniform(-1.0, 1.0)).collect();
            Filter::new(weights, (0..rows).map(|_| random.uniform(-1.0, 1.0)).collect()).unwrap()
        };
        let mut graph = Graph::new(Shape::new(9, 7, 3));
        let mut at = graph.input();
        let lopsided = Window { before: [1, 0], after: [0, 2], ..Window::valid([3, 4], [2, 1]) };
        let steps = [
            Operator::Pad(Border { before: [1, 0, 0], after: [0, 2, 1] }),
            Operator::DepthwiseConv2d(lopsided, filter(8, 12)),
            Operator::MaxPool2d(Window { before: [1, 1], after: [1, 0], ..Window::valid([2, 3], [1, 2]) }),
            Operator::AveragePool2d(Window {
                before: [0, 1],
                after: [1, 1],
                ..Window::valid([2, 2], [2, 1])
            }),
            Operator::Conv2d(Window::valid([2, 1], [1, 2]), filter(6, 16)),
            Operator::Softmax,
        ];
        for (index, operator) in steps.into_iter().enumerate() {
            at = graph.add(format!("step{index}"), operator, Activation::None, &[at]).unwrap();
        }
        let mean = graph.add("mean", Operator::Mean, Activation::None, &[at]).unwrap();
        let sum = graph.add("sum", Operator::Add, Activation::Relu, &[at, mean]).unwrap();
        let shape = graph.tensor(sum).shape;
        let flat = Operator::Reshape(Shape::new(1, 1, shape.volume()));
        let flat = graph.add("flat", flat, Activation::None, &[sum]).unwrap();
        let dense = Operator::FullyConnected(filter(4, shape.volume()));
        graph.add("dense", dense, Activation::None, &[flat]).unwrap();
        assert_defined(&graph);
    }
}
