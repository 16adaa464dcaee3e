//! Whether the input lies channels first or last: ONNX does not say, but what reads it does.

use crate::samples::Layout;
use std::collections::HashMap;
use tract_core::internal::*;
use tract_core::ops::array::Pad;
use tract_core::ops::binary::TypedBinOp;
use tract_core::ops::cnn::{Conv, MaxPool, SumPool};
use tract_core::ops::einsum::EinSum;
use tract_core::ops::nn::Reduce;

/// The layout that the first window, mean or matrix product asks for. Without one it makes no difference to the network,
/// and the shorter of the outer sides is that of the channels.
pub(super) fn layout(model: &TypedModel, shape: &[usize]) -> Layout {
    let channel = channel_axis(model, shape.len()).unwrap_or(match shape {
        [_, first, _, last] if first > last => 3,
        _ => 1,
    });
    if channel == 3 { Layout::Nhwc } else { Layout::Nchw }
}

/// The axis of the input that holds the channels.
fn channel_axis(model: &TypedModel, rank: usize) -> Option<usize> {
    let source = *model.input_outlets().ok()?.first()?;
    // For each tensor with the input's values: the input's axis that each of its axes is.
    let mut origins = HashMap::from([(source, (0..rank).map(Some).collect::<Vec<_>>())]);
    for id in model.eval_order().ok()? {
        let node = model.node(id);
        let Some(axes) = node.inputs.iter().find_map(|input| origins.get(input)) else { continue };
        let mut axes = axes.clone();
        if node.op_is::<Conv>() || node.op_is::<SumPool>() || node.op_is::<MaxPool>() {
            return *axes.get(1)?;
        } else if let Some(reduce) = node.op_as::<Reduce>() {
            let kept = (1..axes.len()).find(|axis| !reduce.axes.contains(axis));
            return *axes.get(kept?)?;
        } else if node.op_is::<EinSum>() {
            return *axes.last()?;
        } else if let Some(change) = node.op_as::<AxisOp>() {
            match change {
                AxisOp::Move(from, to) => {
                    let axis = axes.remove(*from);
                    axes.insert(*to, axis);
                }
                AxisOp::Add(at) => axes.insert(*at, None),
                AxisOp::Rm(at) => drop(axes.remove(*at)),
                AxisOp::Reshape(..) => continue,
            }
        } else if !node.op_is::<TypedBinOp>() && !node.op_is::<Pad>() && node.inputs.len() > 1 {
            continue;
        }
        origins.insert(id.into(), axes);
    }
    None
}
