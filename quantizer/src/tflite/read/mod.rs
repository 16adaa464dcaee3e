//! From a file to a network: operators in order, from the network's input to its output.

mod builder;
mod ends;
mod filters;
mod layers;
mod parts;
mod window;

pub use builder::Import;

use super::names;
use super::source::Source;
use anyhow::{Context, Result};
use builder::Builder;

/// Reads a full-integer int8 network. The bytes may be anything; time and memory are bounded by their number.
///
/// What the network does not need for its output is left out. A QUANTIZE of the input and a DEQUANTIZE of the output
/// are left out too: the network reads and gives int8. A PAD that only a convolution reads becomes its padding;
/// test vectors among the sections are left out then.
///
/// # Errors
/// If the file is damaged, or has something that is not supported: it is named, and what would work.
pub fn read(bytes: &[u8]) -> Result<Import> {
    let source = Source::open(bytes)?;
    let [first, last] = [ends::input(&source)?, ends::output(&source)?];
    let mut builder = Builder::new(&source, first)?;
    let needed = ends::needed(&source, [first, last])?;
    for (index, operator) in source.operators.iter().enumerate().filter(|(index, _)| needed[*index]) {
        let name = names::operator(operator.code);
        builder.origin = Some(index);
        layers::add(&mut builder, operator, &name).with_context(|| format!("operator {index}, {name}"))?;
    }
    builder.finish(last)
}
