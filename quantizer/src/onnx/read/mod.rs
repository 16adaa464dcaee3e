//! A float ONNX file as a graph.
//!
//! tract decodes the file, infers all shapes and reduces ONNX's operators to a few of its own. A walk over these, in the
//! order of execution, builds the graph:
//!
//! | module | subject |
//! | --- | --- |
//! | [`admit`] | what is refused before anything is computed |
//! | [`input`] | whether the input lies channels first or last |
//! | [`axes`] | where the axes of each tensor lie in the image: transposes and reshapes cost nothing |
//! | [`nodes`] | one node after the other |
//! | [`walk`] | the graph so far, and what each tensor of the file is in it |
//! | [`shape`] | transposes and reshapes |
//! | [`arithmetic`] | batch norms and other constants into the filter before them, ReLU, sums |
//! | [`window`] | convolutions, pools, pads |
//! | [`dense`] | fully connected layers |

mod admit;
mod arithmetic;
mod axes;
mod dense;
mod input;
mod nodes;
mod shape;
#[cfg(test)]
mod tests;
mod walk;
mod window;

use crate::graph::Graph;
use crate::samples::Layout;
use anyhow::{Context, Result, anyhow, ensure};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tract_core::internal::*;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

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
    let proto = tract_onnx::onnx().proto_model_for_read(&mut &*bytes).context("is not an ONNX file")?;
    import(&proto, folder)
}

/// As [`parse`], for a decoded file.
fn import(proto: &ModelProto, folder: &Path) -> Result<Import> {
    let (nodes, shape) = admit::admit(proto)?;
    let build = || {
        let model = typed(proto, folder, &shape)?;
        let layout = input::layout(&model, &shape);
        Ok(Import { graph: nodes::walk(&model, &nodes, layout)?, layout })
    };
    // tract asserts and divides by what a damaged file need not keep.
    catch_unwind(AssertUnwindSafe(build))
        .map_err(|_| anyhow!("sizes or settings in the file contradict each other: export it again"))?
}

/// All types and shapes inferred, for an input of `shape`; only nodes that the output needs.
fn typed(proto: &ModelProto, folder: &Path, shape: &[usize]) -> Result<TypedModel> {
    let onnx = tract_onnx::onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
    let folder = folder.to_str().context("the path of the ONNX file is not UTF-8")?;
    let mut model = onnx.parse(proto, Some(folder))?.model;
    let inputs = model.input_outlets()?.len();
    ensure!(inputs == 1, "the network has {inputs} inputs: exactly one is possible");
    model.set_input_fact(0, f32::fact(shape).into())?;
    model.into_typed()?.into_compact()
}
