//! One layer of the network as operators of the file.

use super::super::schema::tflite::{self as schema, BuiltinOptions};
use super::file::{File, image_dims};
use crate::graph::{self, Window};
use crate::quantize::{self, Int8Filter, Int8Operator, Layer, Quantisation};
use anyhow::{Context, Result, bail, ensure};
use edge8::fixed_point::{Activation, Multiplier};

impl File<'_> {
    /// Appends what a layer computes.
    pub(super) fn add(&mut self, layer: &Layer) -> Result<()> {
        match &layer.operator {
            Int8Operator::Conv2d(window, filter) => self.convolution(layer, window, filter),
            Int8Operator::DepthwiseConv2d(window, filter) => self.depthwise(layer, window, filter),
            Int8Operator::FullyConnected(filter) => self.fully_connected(layer, filter),
            Int8Operator::Add(multipliers) => self.sum(layer, multipliers),
            Int8Operator::Mean(multiplier) => self.mean(layer, *multiplier),
            Int8Operator::AveragePool2d(window) => self.pool(layer, window, "AVERAGE_POOL_2D"),
            Int8Operator::MaxPool2d(window) => self.pool(layer, window, "MAX_POOL_2D"),
            Int8Operator::Pad(border) => {
                let input = self.image_of(layer.inputs[0])?;
                let output = self.define_output(layer);
                self.pad(input, border.before, border.after, output);
                self.without_activation(layer)
            }
            Int8Operator::Reshape => {
                let input = self.tensor_of(layer.inputs[0])?;
                let output = self.define_output(layer);
                self.reshape(input, self.network.tensor(layer.output).shape, output);
                Ok(())
            }
            Int8Operator::Constant(values) => {
                let buffer = self.buffer(values.iter().map(|&value| value as u8).collect());
                let output = self.define_output(layer);
                self.tensors[output as usize].buffer = buffer;
                self.without_activation(layer)
            }
            Int8Operator::Softmax(multiplier, diff_min) => self.softmax(layer, *multiplier, *diff_min),
            Int8Operator::Table(function, _) => {
                self.without_activation(layer)?;
                let input = self.tensor_of(layer.inputs[0])?;
                let dims = self.tensors[input as usize].shape.clone().unwrap_or_default();
                let output = self.define(layer.output, dims);
                self.operator(function.name(), vec![input], output, None);
                Ok(())
            }
        }
    }

    fn quantisation(&self, id: graph::TensorId) -> Quantisation {
        self.network.tensor(id).quantisation
    }

    fn define_output(&mut self, layer: &Layer) -> i32 {
        self.define(layer.output, image_dims(self.network.tensor(layer.output).shape))
    }

    /// The fused activation that has the layer's clamp.
    fn activation_code(&self, layer: &Layer) -> Result<i8> {
        let output = self.quantisation(layer.output);
        let known =
            [(0, graph::Activation::None), (1, graph::Activation::Relu), (3, graph::Activation::Relu6)];
        let found = known.into_iter().find(|(_, activation)| output.clamp(*activation) == layer.activation);
        let Activation { min, max } = layer.activation;
        Ok(found
            .with_context(|| {
                format!("its outputs are clamped to {min}..{max}: that is no NONE, RELU or RELU6")
            })?
            .0)
    }

    fn without_activation(&self, layer: &Layer) -> Result<()> {
        ensure!(layer.activation == Activation::NONE, "{} has no fused activation", layer.operator.name());
        Ok(())
    }

    /// The tensor that a window reads, and SAME or VALID; any other padding becomes a PAD before it.
    fn windowed(&mut self, layer: &Layer, window: &Window) -> Result<(i32, i8)> {
        let input = self.image_of(layer.inputs[0])?;
        let tensor = self.network.tensor(layer.inputs[0]);
        let (shape, quantisation) = (tensor.shape, tensor.quantisation);
        if let Some(code) = padding_code(window, [shape.height, shape.width]) {
            return Ok((input, code));
        }
        let border = graph::Border {
            before: [window.before[0], window.before[1], 0],
            after: [window.after[0], window.after[1], 0],
        };
        let dims = image_dims(border.output(shape));
        let padded = self.activation(&format!("{}.padded", layer.name), dims, quantisation, 0);
        self.pad(input, border.before, border.after, padded);
        Ok((padded, VALID))
    }

    fn pad(&mut self, input: i32, before: [usize; 3], after: [usize; 3], output: i32) {
        let sides = before.iter().zip(&after).flat_map(|(&before, &after)| [before as i32, after as i32]);
        let table: Vec<i32> = [0, 0].into_iter().chain(sides).collect();
        let table = self.numbers(&format!("paddings.{output}"), vec![4, 2], &table);
        let options = BuiltinOptions::PadOptions(Box::new(schema::PadOptions {}));
        self.operator("PAD", vec![input, table], output, options);
    }

    fn convolution(&mut self, layer: &Layer, window: &Window, filter: &Int8Filter) -> Result<()> {
        let (input, padding) = self.windowed(layer, window)?;
        let [rows, columns] = window.kernel;
        let channels = filter.bias.len();
        let depth = filter.row_len() / window.taps();
        let dims = [channels, rows, columns, depth];
        let [weights, bias] = self.filter(layer, filter, filter.weights.clone(), &dims, 0);
        let options = schema::Conv2DOptions {
            padding,
            stride_h: window.stride[0] as i32,
            stride_w: window.stride[1] as i32,
            fused_activation_function: self.activation_code(layer)?,
            ..Default::default()
        };
        let output = self.define_output(layer);
        let options = BuiltinOptions::Conv2DOptions(Box::new(options));
        self.operator("CONV_2D", vec![input, weights, bias], output, options);
        Ok(())
    }

    fn depthwise(&mut self, layer: &Layer, window: &Window, filter: &Int8Filter) -> Result<()> {
        let (input, padding) = self.windowed(layer, window)?;
        let [rows, columns] = window.kernel;
        let (channels, taps) = (filter.bias.len(), window.taps());
        let by_tap =
            (0..taps).flat_map(|tap| filter.weights.iter().skip(tap).step_by(taps).copied()).collect();
        let [weights, bias] = self.filter(layer, filter, by_tap, &[1, rows, columns, channels], 3);
        let options = schema::DepthwiseConv2DOptions {
            padding,
            stride_h: window.stride[0] as i32,
            stride_w: window.stride[1] as i32,
            depth_multiplier: (channels / self.network.tensor(layer.inputs[0]).shape.channels) as i32,
            fused_activation_function: self.activation_code(layer)?,
            ..Default::default()
        };
        let output = self.define_output(layer);
        let options = BuiltinOptions::DepthwiseConv2DOptions(Box::new(options));
        self.operator("DEPTHWISE_CONV_2D", vec![input, weights, bias], output, options);
        Ok(())
    }

    fn fully_connected(&mut self, layer: &Layer, filter: &Int8Filter) -> Result<()> {
        let input = self.tensor_of(layer.inputs[0])?;
        let channels = filter.bias.len();
        let dims = [channels, filter.row_len()];
        let [weights, bias] = self.filter(layer, filter, filter.weights.clone(), &dims, 0);
        let options = schema::FullyConnectedOptions {
            fused_activation_function: self.activation_code(layer)?,
            ..Default::default()
        };
        let output = self.define(layer.output, vec![1, channels as i32]);
        let options = BuiltinOptions::FullyConnectedOptions(Box::new(options));
        self.operator("FULLY_CONNECTED", vec![input, weights, bias], output, options);
        Ok(())
    }

    fn sum(&mut self, layer: &Layer, multipliers: &[Multiplier; 3]) -> Result<()> {
        let [first, second] = [layer.inputs[0], layer.inputs[1]];
        let expected = quantize::add(
            self.quantisation(first),
            self.quantisation(second),
            self.quantisation(layer.output),
        );
        check_multipliers(*multipliers == expected)?;
        let inputs = vec![self.image_of(first)?, self.image_of(second)?];
        let options = schema::AddOptions { fused_activation_function: self.activation_code(layer)? };
        let output = self.define_output(layer);
        self.operator("ADD", inputs, output, BuiltinOptions::AddOptions(Box::new(options)));
        Ok(())
    }

    fn mean(&mut self, layer: &Layer, multiplier: Multiplier) -> Result<()> {
        let input = self.network.tensor(layer.inputs[0]);
        let count = input.shape.height * input.shape.width;
        let expected = quantize::mean(input.quantisation, self.quantisation(layer.output), count);
        check_multipliers(multiplier == expected)?;
        self.without_activation(layer)?;
        let input = self.image_of(layer.inputs[0])?;
        let output = self.define_output(layer);
        let axes = self.numbers(&format!("axes.{output}"), vec![2], &[1, 2]);
        let options = schema::ReducerOptions { keep_dims: true };
        self.operator("MEAN", vec![input, axes], output, BuiltinOptions::ReducerOptions(Box::new(options)));
        Ok(())
    }

    fn pool(&mut self, layer: &Layer, window: &Window, name: &'static str) -> Result<()> {
        let shape = self.network.tensor(layer.inputs[0]).shape;
        let padding = padding_code(window, [shape.height, shape.width]);
        let options = schema::Pool2DOptions {
            padding: padding.context("its padding is neither SAME nor VALID")?,
            stride_h: window.stride[0] as i32,
            stride_w: window.stride[1] as i32,
            filter_height: window.kernel[0] as i32,
            filter_width: window.kernel[1] as i32,
            fused_activation_function: self.activation_code(layer)?,
        };
        let input = self.image_of(layer.inputs[0])?;
        let output = self.define_output(layer);
        self.operator(name, vec![input], output, BuiltinOptions::Pool2DOptions(Box::new(options)));
        Ok(())
    }

    fn softmax(&mut self, layer: &Layer, multiplier: Multiplier, diff_min: i32) -> Result<()> {
        let input = self.quantisation(layer.inputs[0]);
        let real = f64::from(multiplier.mantissa) * 2f64.powi(i32::from(multiplier.shift) - 31);
        let near = (real / (f64::from(input.scale) * f64::from(1 << 26))) as f32;
        let mut candidates = [1.0, near, near.next_up(), near.next_down()].into_iter();
        let beta = candidates.find(|&beta| quantize::softmax(input, beta) == (multiplier, diff_min));
        let Some(beta) = beta else {
            bail!("no beta gives its multiplier: the image was not made by a quantizer")
        };
        self.without_activation(layer)?;
        let place = self.tensor_of(layer.inputs[0])?;
        let dims = self.tensors[place as usize].shape.clone().unwrap_or_default();
        let output = self.define(layer.output, dims);
        let options = BuiltinOptions::SoftmaxOptions(Box::new(schema::SoftmaxOptions { beta }));
        self.operator("SOFTMAX", vec![place], output, options);
        Ok(())
    }
}

const SAME: i8 = 0;
const VALID: i8 = 1;

/// SAME or VALID, if the window on an input of this size is one of them.
fn padding_code(window: &Window, size: [usize; 2]) -> Option<i8> {
    let Window { kernel, stride, .. } = *window;
    match *window {
        w if w == Window::valid(kernel, stride) => Some(VALID),
        w if w == Window::same(kernel, stride, size) => Some(SAME),
        _ => None,
    }
}

fn check_multipliers(equal: bool) -> Result<()> {
    ensure!(
        equal,
        "its multipliers are not those of its tensors' scales: the image was not made by a quantizer"
    );
    Ok(())
}
