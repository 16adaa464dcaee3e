//! Weights and biases of the file.

use super::super::schema::tflite as schema;
use super::file::{File, INT8, INT32};
use crate::quantize::{Int8Filter, Layer};

impl File<'_> {
    /// Appends weights, in the order and dimensions of the file, and biases; `axis` is the dimension of the output
    /// channels. The two tensors.
    pub(super) fn filter(
        &mut self,
        layer: &Layer,
        filter: &Int8Filter,
        weights: Vec<i8>,
        dims: &[usize],
        axis: i32,
    ) -> [i32; 2] {
        let input = self.network.tensor(layer.inputs[0]).quantisation;
        let dims = dims.iter().map(|&side| side as i32).collect();
        let buffer = self.buffer(weights.iter().map(|&weight| weight as u8).collect());
        let scales = scales(filter.scales.clone(), axis);
        let weights = self.tensor(&format!("{}.weights", layer.name), dims, INT8, buffer, Some(scales));
        // A scale below the normal numbers is that of a channel whose multiplier is 0: its bias does not count.
        let products = filter.scales.iter().map(|&scale| (input.scale * scale).max(f32::MIN_POSITIVE));
        let products = self::scales(products.collect(), 0);
        let buffer = self.buffer(filter.bias.iter().flat_map(|bias| bias.to_le_bytes()).collect());
        let dims = vec![filter.bias.len() as i32];
        let bias = self.tensor(&format!("{}.bias", layer.name), dims, INT32, buffer, Some(products));
        [weights, bias]
    }
}

/// Scales along one dimension, zero points 0.
fn scales(scales: Vec<f32>, axis: i32) -> schema::QuantizationParameters {
    schema::QuantizationParameters {
        zero_point: Some(vec![0; scales.len()]),
        scale: Some(scales),
        quantized_dimension: axis,
        ..Default::default()
    }
}
