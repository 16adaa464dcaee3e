//! Layers as ONNX's operators.

use super::form::{Form, channels_first};
use super::writer::{Value, Writer};
use crate::graph::{Border, Shape, Window};
use crate::quantize::{self, Int8Filter, Int8Operator, Layer, Quantisation};
use anyhow::Result;
use edge8::fixed_point::{Activation, Multiplier};
use mobilenet::onnx::attribute;
use mobilenet::onnx::schema::AttributeProto;

impl Writer<'_> {
    /// Adds a layer with its fused clamp and the rounding of its output.
    pub(super) fn layer(&mut self, layer: &Layer) -> Result<()> {
        let (real, form) = match &layer.operator {
            Int8Operator::Reshape => return self.reshape(layer),
            Int8Operator::Constant(values) => {
                self.stored(layer, values);
                return Ok(());
            }
            Int8Operator::Conv2d(window, filter) => (self.convolution(layer, window, filter)?, Form::Map),
            Int8Operator::DepthwiseConv2d(window, filter) => {
                (self.depthwise(layer, window, filter)?, Form::Map)
            }
            Int8Operator::FullyConnected(filter) => (self.fully_connected(layer, filter)?, Form::Flat),
            Int8Operator::Add(_) => self.add(layer)?,
            Int8Operator::Mean(_) => (self.on_map(layer, "GlobalAveragePool", Vec::new())?, Form::Map),
            Int8Operator::AveragePool2d(window) => {
                (self.on_map(layer, "AveragePool", of_window(window))?, Form::Map)
            }
            Int8Operator::MaxPool2d(window) => (self.on_map(layer, "MaxPool", of_window(window))?, Form::Map),
            Int8Operator::Pad(border) => (self.pad(layer, border)?, Form::Map),
            Int8Operator::Softmax(multiplier, _) => self.softmax(layer, *multiplier)?,
            Int8Operator::Table(function, _) => {
                let Value { name, form } = self.value(layer.inputs[0])?;
                (self.node(function.onnx_name(), &layer.name, &[name], []), form)
            }
        };
        let real = self.clamp(layer, real);
        self.define(layer.output, &layer.name, &real, form);
        Ok(())
    }

    /// An operator that only needs its input.
    fn on_map(&mut self, layer: &Layer, operator: &str, attributes: Vec<AttributeProto>) -> Result<String> {
        let input = self.in_form(layer, layer.inputs[0], Form::Map)?;
        Ok(self.node(operator, &layer.name, &[input], attributes))
    }

    fn convolution(&mut self, layer: &Layer, window: &Window, filter: &Int8Filter) -> Result<String> {
        let [rows, columns] = window.kernel;
        let channels = self.network.tensor(layer.inputs[0]).shape.channels;
        let weights = rows_channels_first(filter, Shape::new(rows, columns, channels));
        let shape = [filter.bias.len(), channels, rows, columns];
        self.filtered(layer, filter, &weights, &shape, of_window(window))
    }

    fn depthwise(&mut self, layer: &Layer, window: &Window, filter: &Int8Filter) -> Result<String> {
        let [rows, columns] = window.kernel;
        let groups = self.network.tensor(layer.inputs[0]).shape.channels;
        let mut attributes = of_window(window);
        attributes.push(attribute::int("group", groups as i64));
        let shape = [filter.bias.len(), 1, rows, columns];
        self.filtered(layer, filter, &filter.weights, &shape, attributes)
    }

    fn filtered(
        &mut self,
        layer: &Layer,
        filter: &Int8Filter,
        weights: &[i8],
        shape: &[usize],
        attributes: Vec<AttributeProto>,
    ) -> Result<String> {
        let input = self.in_form(layer, layer.inputs[0], Form::Map)?;
        let [weight, bias] = self.filter(layer, filter, weights, shape);
        Ok(self.node("Conv", &layer.name, &[input, weight, bias], attributes))
    }

    fn fully_connected(&mut self, layer: &Layer, filter: &Int8Filter) -> Result<String> {
        let input = self.in_form(layer, layer.inputs[0], Form::Flat)?;
        let weights = rows_channels_first(filter, self.network.tensor(layer.inputs[0]).shape);
        let [weight, bias] = self.filter(layer, filter, &weights, &[filter.bias.len(), filter.row_len()]);
        Ok(self.node("Gemm", &layer.name, &[input, weight, bias], [attribute::int("transB", 1)]))
    }

    fn add(&mut self, layer: &Layer) -> Result<(String, Form)> {
        let first = self.value(layer.inputs[0])?;
        let second = self.in_form(layer, layer.inputs[1], first.form)?;
        Ok((self.node("Add", &layer.name, &[first.name, second], []), first.form))
    }

    /// Real zeros around the input are zero points in int8.
    fn pad(&mut self, layer: &Layer, border: &Border) -> Result<String> {
        let input = self.in_form(layer, layer.inputs[0], Form::Map)?;
        let side =
            |[rows, columns, channels]: [usize; 3]| [0, channels, rows, columns].map(|side| side as i64);
        let pads = [side(border.before), side(border.after)].concat();
        let pads = self.constant(&layer.name, "pads", &[pads.len()], &pads);
        Ok(self.node("Pad", &layer.name, &[input, pads], []))
    }

    fn softmax(&mut self, layer: &Layer, multiplier: Multiplier) -> Result<(String, Form)> {
        let input = self.network.tensor(layer.inputs[0]).quantisation;
        let Value { mut name, form } = self.value(layer.inputs[0])?;
        if multiplier != quantize::softmax(input, 1.0).0 {
            let beta = self.constant(&layer.name, "beta", &[], &[beta(multiplier, input)]);
            name = self.node("Mul", &format!("{}.scaled", layer.name), &[name, beta], []);
        }
        let name = self.node("Softmax", &layer.name, &[name], [attribute::int("axis", 1)]);
        // What int8 does anyway. But tract 0.23 takes a softmax between int8 and int8 for a function of one value; with
        // a clip behind it, it does not.
        Ok((self.clip(layer, name, Activation::NONE), form))
    }

    /// Values that the file holds.
    fn stored(&mut self, layer: &Layer, values: &[i8]) {
        let tensor = self.network.tensor(layer.output);
        let form = Form::of(tensor.shape);
        let values = channels_first(values, tensor.shape);
        let int8 = self.constant(&layer.name, "int8", &form.shape(tensor.shape), &values);
        let [scale, zero_point] = self.quantisation(&layer.name, tensor.quantisation);
        let name = self.node("DequantizeLinear", &layer.name, &[int8, scale, zero_point], []);
        self.values.insert(layer.output, Value { name, form });
    }

    /// The fused clamp, where int8 does not end there anyway.
    fn clamp(&mut self, layer: &Layer, real: String) -> String {
        let quantisation = self.network.tensor(layer.output).quantisation;
        let Activation { min, max } = layer.activation;
        if layer.activation == Activation::NONE {
            return real;
        }
        if min == quantisation.zero_point && max == i8::MAX {
            return self.node("Relu", &format!("{}.relu", layer.name), &[real], []);
        }
        self.clip(layer, real, layer.activation)
    }

    /// A clamp of int8 values as one of the reals that they stand for.
    fn clip(&mut self, layer: &Layer, real: String, Activation { min, max }: Activation) -> String {
        let quantisation = self.network.tensor(layer.output).quantisation;
        let [min, max] = [("min", min), ("max", max)]
            .map(|(part, bound)| self.constant(&layer.name, part, &[], &[quantisation.real(bound)]));
        self.node("Clip", &format!("{}.clip", layer.name), &[real, min, max], [])
    }
}

/// The factor of a softmax's input that its multiplier is made from.
fn beta(multiplier: Multiplier, input: Quantisation) -> f32 {
    let real = f64::from(multiplier.mantissa) * 2f64.powi(i32::from(multiplier.shift) - 31);
    let one = f64::from(input.scale) * f64::from(1 << 26);
    (real / one) as f32
}

/// A filter's weights, each row of this shape with its channels first.
fn rows_channels_first(filter: &Int8Filter, row: Shape) -> Vec<i8> {
    filter.weights.chunks(filter.row_len()).flat_map(|weights| channels_first(weights, row)).collect()
}

fn of_window(window: &Window) -> Vec<AttributeProto> {
    vec![
        attribute::ints("kernel_shape", &window.kernel),
        attribute::ints("strides", &window.stride),
        attribute::ints("pads", &[window.before, window.after].concat()),
    ]
}
