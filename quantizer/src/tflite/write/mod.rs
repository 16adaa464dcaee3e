//! An int8 network as a `.tflite` file.

mod file;
mod operators;
mod parameters;

use super::format::{IDENTIFIER, SECTION};
use super::names;
use super::schema::tflite as schema;
use crate::quantize::Network;
use anyhow::{Context, Result};
use file::File;

/// The version of the file format.
const FORMAT: u32 = 3;

/// Writes a network, with sections of its model image (kind and content) as metadata, so that
/// [`read`](super::read) gives both back.
///
/// # Errors
/// If the format cannot say what a layer computes: a clamp that is no activation, or multipliers that are not those of
/// the tensors' scales.
pub fn write(network: &Network, sections: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut file = File::new(network);
    for layer in &network.layers {
        file.add(layer).with_context(|| format!("layer \"{}\" as a .tflite operator", layer.name))?;
    }
    let output = file.tensor_of(network.output)?;
    let metadata = sections.iter().map(|(kind, content)| schema::Metadata {
        name: Some(format!("{SECTION}{kind}")),
        buffer: file.buffer(content.clone()),
    });
    let metadata: Vec<_> = metadata.collect();
    let graph = schema::SubGraph {
        tensors: Some(file.tensors),
        inputs: Some(vec![0]),
        outputs: Some(vec![output]),
        operators: Some(file.operators),
        name: Some("main".into()),
    };
    let model = schema::Model {
        version: FORMAT,
        operator_codes: Some(file.codes.iter().map(|name| code(name)).collect::<Result<_>>()?),
        subgraphs: Some(vec![graph]),
        description: Some("made by edge8".into()),
        buffers: Some(file.buffers),
        metadata_buffer: None,
        metadata: Some(metadata),
    };
    Ok(finish(&model))
}

/// The bytes of a file: the root table's offset, the format's identifier, the tables.
///
/// planus 1.3 writes the identifier first and counts the offset from behind it.
pub(super) fn finish(model: &schema::Model) -> Vec<u8> {
    let mut builder = planus::Builder::new();
    let mut bytes = builder.finish(model, Some(IDENTIFIER)).to_vec();
    let (begin, _) = bytes.as_chunks_mut::<4>();
    begin.swap(0, 1);
    begin[0] = (u32::from_le_bytes(begin[0]) + 4).to_le_bytes();
    bytes
}

/// An operator's code, with the version that int8 came in.
fn code(name: &str) -> Result<schema::OperatorCode> {
    let code = names::code(name).with_context(|| format!("{name} has no code"))?;
    let version = match name {
        "RESHAPE" => 1,
        "CONV_2D" | "DEPTHWISE_CONV_2D" => 3,
        "FULLY_CONNECTED" => 4,
        _ => 2,
    };
    Ok(schema::OperatorCode {
        deprecated_builtin_code: i8::try_from(code)?,
        custom_code: None,
        version,
        builtin_code: code,
    })
}
