//! Weights and biases.

use super::writer::Writer;
use crate::quantize::{Int8Filter, Layer};
use mobilenet::onnx::{Element, attribute};

/// So small beside the output's scale that no sum of 32 bits makes half a step of it.
const NOTHING: f64 = 1.0 / (1u64 << 40) as f64;

impl Writer<'_> {
    /// A filter's weights, in the given order and shape, and its bias, as reals; their names.
    ///
    /// A channel without weights may have any scale in an image, even one that floats cannot hold once it is multiplied
    /// with the input's; engines need a normal number. The scale is therefore at least [`NOTHING`] of a step.
    pub(super) fn filter(
        &mut self,
        layer: &Layer,
        filter: &Int8Filter,
        weights: &[i8],
        shape: &[usize],
    ) -> [String; 2] {
        let [input, output] = [layer.inputs[0], layer.output].map(|id| self.network.tensor(id).quantisation);
        let least = NOTHING * f64::from(output.scale) / f64::from(input.scale);
        let scales: Vec<f32> = filter.scales.iter().map(|scale| scale.max(least as f32)).collect();
        let bias_scales: Vec<f32> = scales.iter().map(|scale| input.scale * scale).collect();
        let [weight, bias] = ["weight", "bias"].map(|part| format!("{}.{part}", layer.name));
        let weight = self.parameter(&weight, shape, weights, &scales);
        let bias = self.parameter(&bias, &[filter.bias.len()], &filter.bias, &bias_scales);
        [weight, bias]
    }

    /// Integers with zero point 0 and one scale, or one for each of the outermost index.
    fn parameter<T: Element + Default>(
        &mut self,
        label: &str,
        shape: &[usize],
        values: &[T],
        scales: &[f32],
    ) -> String {
        let each = [scales.len()];
        let sides = if scales.len() == 1 { &[][..] } else { &each };
        let integers = self.constant(label, "quantised", shape, values);
        let scale = self.constant(label, "scale", sides, scales);
        let zero_point = self.constant(label, "zero_point", sides, &vec![T::default(); scales.len()]);
        let axis = (scales.len() > 1).then(|| attribute::int("axis", 0));
        self.node("DequantizeLinear", label, &[&integers, &scale, &zero_point], axis)
    }
}
