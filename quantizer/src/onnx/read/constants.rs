//! All constants that are known so far.

use super::constant::Constant;
use super::evaluate::evaluate;
use super::node::Node;
use anyhow::{Context, Result, ensure};
use mobilenet::onnx::schema::TensorProto;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Values that constants computed from constants may have together, beside four times those that the file states.
const MOST_COMPUTED: usize = 1 << 20;

/// Constants by their names in the file.
pub(super) struct Constants<'a> {
    known: HashMap<&'a str, Constant>,
    /// Where some may lie.
    folder: &'a Path,
    /// Values that may still be computed: a small file must not take all memory.
    left: usize,
}

impl<'a> Constants<'a> {
    /// Those of the file's constants that nodes read; `folder` may hold their values.
    ///
    /// # Errors
    /// As [`Constant::read`].
    pub(super) fn read(tensors: &'a [TensorProto], nodes: &[Node<'a>], folder: &'a Path) -> Result<Self> {
        let read: HashSet<&str> = nodes.iter().flat_map(Node::inputs).collect();
        let needed = tensors.iter().filter(|tensor| read.contains(tensor.name.as_str()));
        let known = needed.map(|tensor| Ok((tensor.name.as_str(), Constant::read(tensor, folder)?)));
        let known = known.collect::<Result<HashMap<_, _>>>()?;
        let left = MOST_COMPUTED + 4 * known.values().map(Constant::len).sum::<usize>();
        Ok(Self { known, folder, left })
    }

    pub(super) fn get(&self, name: &str) -> Option<&Constant> {
        self.known.get(name)
    }

    /// Computes what a node writes, if all that it reads is constant and that is not done yet.
    ///
    /// # Errors
    /// If it cannot be computed in advance, or reads nothing although it states no value itself.
    pub(super) fn evaluate(&mut self, node: &Node<'a>) -> Result<()> {
        let states = node.operator() == "Constant";
        ensure!(states || node.inputs().next().is_some(), "it reads nothing");
        let known = node.inputs().all(|name| self.known.contains_key(name));
        if !known || self.known.contains_key(node.output()) {
            return Ok(());
        }
        let input = |place| node.optional(place).and_then(|name| self.known.get(name));
        let inputs: Vec<Option<&Constant>> = (0..node.places()).map(input).collect();
        let value = evaluate(node, &inputs, self.folder)?;
        self.insert(node.output(), value)
    }

    /// Adds a constant that was computed.
    ///
    /// # Errors
    /// If all of them together have more values than a file of this length should give.
    pub(super) fn insert(&mut self, name: &'a str, value: Constant) -> Result<()> {
        let left = self.left.checked_sub(value.len());
        self.left = left.context("constants that are computed outgrow the file")?;
        self.known.insert(name, value);
        Ok(())
    }
}
