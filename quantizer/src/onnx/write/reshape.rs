//! The ways from one form of a tensor into another.

use super::form::Form;
use super::writer::{Value, Writer};
use crate::graph::{Shape, TensorId};
use crate::quantize::Layer;
use anyhow::Result;
use mobilenet::onnx::attribute;

/// Whether the order of the values depends on whether channels come first or last.
fn ordered(shape: Shape) -> bool {
    shape.height * shape.width > 1 && shape.channels > 1
}

impl Writer<'_> {
    /// The reals of a tensor in the form that a layer needs.
    pub(super) fn in_form(&mut self, layer: &Layer, id: TensorId, form: Form) -> Result<String> {
        let Value { name, form: found } = self.value(id)?;
        if found == form {
            return Ok(name);
        }
        let tensor = self.network.tensor(id);
        let label = format!("{}.{}", layer.name, tensor.name);
        let name = self.reshaped(&label, &name, &form.shape(tensor.shape));
        Ok(self.round(&label, &name, tensor.quantisation, &format!("{label}.real")))
    }

    /// A RESHAPE: the values in the order of channels last, taken in another shape.
    pub(super) fn reshape(&mut self, layer: &Layer) -> Result<()> {
        let (input, output) = (self.network.tensor(layer.inputs[0]), self.network.tensor(layer.output));
        let mut at = self.value(layer.inputs[0])?.name;
        if ordered(input.shape) {
            at = self.transposed(layer, "channels_last", &at, [0, 2, 3, 1]);
        }
        let form = Form::of(output.shape);
        if ordered(output.shape) {
            let Shape { height, width, channels } = output.shape;
            at = self.reshaped(&layer.name, &at, &[1, height, width, channels]);
            at = self.transposed(layer, "channels_first", &at, [0, 3, 1, 2]);
        } else {
            at = self.reshaped(&layer.name, &at, &form.shape(output.shape));
        }
        self.define(layer.output, &layer.name, &at, form);
        Ok(())
    }

    fn transposed(&mut self, layer: &Layer, part: &str, name: &str, axes: [usize; 4]) -> String {
        let label = format!("{}.{part}", layer.name);
        self.node("Transpose", &label, &[name], [attribute::ints("perm", &axes)])
    }

    fn reshaped(&mut self, label: &str, name: &str, shape: &[usize]) -> String {
        let sides: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
        let shape = self.constant(label, "shape", &[sides.len()], &sides);
        self.node("Reshape", label, &[name, &shape], [])
    }
}
