//! A float ONNX file as a graph.
//!
//! A file may hold anything: every number is checked where it is read, before anything is computed with it.
//!
//! | module | subject |
//! | --- | --- |
//! | [`admit`] | what is refused before anything is computed, and which nodes are needed |
//! | [`node`] | a node's inputs and settings |
//! | [`constant`], [`constants`] | tensors whose values no input decides |
//! | [`sides`] | what nodes make of the sides of tensors |
//! | [`evaluate`] | nodes that no input decides |
//! | [`layout`] | whether the input lies channels first or last |
//! | [`axes`] | where the axes of each tensor lie in the image: transposes and reshapes cost nothing |
//! | [`walk`] | the graph so far, and what each tensor of the file is in it |
//! | [`nodes`] | one node after the other |
//! | [`shape`] | transposes and reshapes |
//! | [`arithmetic`] | batch norms and other constants into the filter before them, ReLU, sums |
//! | [`window`] | convolutions, pools, pads |
//! | [`dense`] | fully connected layers |

mod admit;
mod arithmetic;
mod axes;
mod constant;
mod constants;
mod dense;
mod evaluate;
mod layout;
mod node;
mod nodes;
mod shape;
mod sides;
#[cfg(test)]
mod tests;
mod walk;
mod window;

use crate::graph::Graph;
use crate::samples::Layout;
use admit::File;
use anyhow::{Context, Result};
use constants::Constants;
use mobilenet::onnx::schema::ModelProto;
use prost::Message;
use std::path::Path;

/// A network from an ONNX file.
#[derive(Debug)]
pub struct Import {
    /// The float network, batch norms folded.
    pub graph: Graph,
    /// How the file's input lies. The graph's own is channels last.
    pub layout: Layout,
}

/// Reads a float classifier from an ONNX file of operator set 13 or newer, with a batch of one. Weights in a file beside
/// it are found there.
///
/// # Errors
/// If the file is damaged, or holds something that cannot be expressed: names the node, its operator and what would work.
pub fn read(path: &Path) -> Result<Import> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&bytes, folder).with_context(|| path.display().to_string())
}

/// As [`read`], for a file's bytes, which may be anything; `folder` may hold weights.
fn parse(bytes: &[u8], folder: &Path) -> Result<Import> {
    import(&ModelProto::decode(bytes).context("is not an ONNX file")?, folder)
}

/// As [`parse`], for a decoded file.
fn import(proto: &ModelProto, folder: &Path) -> Result<Import> {
    let File { nodes, constants, input, shape, output } = admit::admit(proto)?;
    let constants = Constants::read(constants, &nodes, folder)?;
    let (graph, layout) = nodes::walk(&nodes, constants, (input, &shape), output)?;
    Ok(Import { graph, layout })
}
