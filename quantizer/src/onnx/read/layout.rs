//! Whether the input lies channels first or last: ONNX does not say, but what reads it does.

use super::constants::Constants;
use super::node::Node;
use super::sides::{axis, permutation};
use crate::samples::Layout;
use std::collections::HashMap;

/// The layout that the first window, mean or matrix product asks for. Without one it makes no difference to the network,
/// and the shorter of the outer sides is that of the channels. `shape` is the input's, whose name is `input`.
pub(super) fn layout(nodes: &[Node<'_>], constants: &Constants<'_>, input: &str, shape: &[usize]) -> Layout {
    let channel = channel_axis(nodes, constants, input, shape.len()).unwrap_or(match shape {
        [_, first, _, last] if first > last => 3,
        _ => 1,
    });
    if channel == 3 { Layout::Nhwc } else { Layout::Nchw }
}

/// The axis of the input that holds the channels.
fn channel_axis(nodes: &[Node<'_>], constants: &Constants<'_>, input: &str, rank: usize) -> Option<usize> {
    // For each tensor with the input's values: the input's axis that each of its axes is.
    let mut origins = HashMap::from([(input, (0..rank).map(Some).collect::<Vec<_>>())]);
    for node in nodes {
        let Some(axes) = node.inputs().find_map(|name| origins.get(name)) else { continue };
        let mut axes = axes.clone();
        let list = |place: usize| node.optional(place).and_then(|name| constants.get(name));
        match node.operator() {
            "Conv" | "AveragePool" | "MaxPool" | "GlobalAveragePool" | "BatchNormalization" => {
                return *axes.get(1)?;
            }
            "ReduceMean" => {
                let of_input = list(1).and_then(|axes_of| axes_of.axes(axes.len()).ok());
                let of_setting = node.integers("axes").ok().flatten().map(|named| named.to_vec());
                let of_setting = of_setting
                    .and_then(|named| named.iter().map(|&index| axis(index, axes.len()).ok()).collect());
                let reduced: Vec<usize> = of_input.or(of_setting)?;
                let kept = (1..axes.len()).find(|axis| !reduced.contains(axis));
                return *axes.get(kept?)?;
            }
            "MatMul" | "Gemm" => return *axes.last()?,
            "Transpose" => {
                axes = permutation(node, axes.len()).ok()?.into_iter().map(|axis| axes[axis]).collect();
            }
            "Unsqueeze" => {
                let mut added = list(1)?.axes(axes.len() + list(1)?.len()).ok()?;
                added.sort_unstable();
                added.into_iter().for_each(|at| axes.insert(at.min(axes.len()), None));
            }
            "Squeeze" => {
                let taken = list(1)?.axes(axes.len()).ok()?;
                axes = (0..axes.len()).filter(|axis| !taken.contains(axis)).map(|axis| axes[axis]).collect();
            }
            "Reshape" | "Flatten" | "Shape" | "Concat" | "Gather" | "Slice" => continue,
            _ => {}
        }
        origins.insert(node.output(), axes);
    }
    None
}
