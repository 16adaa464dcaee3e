//! An int8 network as a float ONNX file in which QuantizeLinear and DequantizeLinear say where values are int8.
//!
//! Every layer is the float operator of its name between a DequantizeLinear for each input and a QuantizeLinear behind
//! it, as ONNX Runtime and other engines expect of a quantised network; they may compute in int8, or in float with the
//! same values up to a rounding. Images lie channels first, as ONNX has them.

mod filter;
mod form;
mod layers;
mod reshape;
#[cfg(test)]
mod tests;
mod writer;

use crate::quantize::Network;
use anyhow::{Context, Result};
use writer::Writer;

/// Writes a network as an ONNX file.
///
/// Its input is `input`, f32 `[1, channels, rows, columns]`, its output f32 of the same form, or `[1, channels]` where a
/// fully connected layer or a reshape to a vector is behind it. Both hold the reals that the int8 values stand for.
///
/// # Errors
/// If a layer reads a tensor that no layer before it has written.
pub fn write(network: &Network) -> Result<Vec<u8>> {
    let mut writer = Writer::new(network);
    for layer in &network.layers {
        writer.layer(layer).with_context(|| format!("layer \"{}\" as ONNX", layer.name))?;
    }
    writer.finish()
}
