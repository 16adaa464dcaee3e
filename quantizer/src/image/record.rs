//! Operator records of a planned network.

use crate::engine::{self, size};
use crate::graph::TensorId;
use crate::plan::NetworkPlan;
use crate::quantize::{Layer, Network};
use anyhow::{Result, ensure};
use edge8::Tensor;
use edge8::operator::Record;

/// A tensor where the plan has put it.
pub(super) fn placed(network: &Network, plan: &NetworkPlan, id: TensorId) -> Tensor {
    let index = id.index();
    // The sizes have been checked.
    let (offset, rows) = (plan.offsets[index] as u32, plan.rows[index] as u16);
    Tensor { offset, rows, ..engine::tensor(network.tensor(id)) }
}

/// The record of a layer, [`None`] for a reshape; `at` is where its weights and its constants begin.
pub(super) fn record(network: &Network, plan: &NetworkPlan, layer: &Layer, at: [u32; 2]) -> Option<Record> {
    Some(engine::operator(network, layer, |id| placed(network, plan, id))?.encode(at))
}

/// Whether the format holds all sizes of a network and its plan.
///
/// # Errors
/// Names what is too large.
pub(super) fn check_sizes(network: &Network, plan: &NetworkPlan) -> Result<()> {
    const MOST: usize = u16::MAX as usize;
    for (index, tensor) in network.tensors.iter().enumerate() {
        let shape = tensor.shape;
        let fits = [shape.height, shape.width, shape.channels].iter().all(|&side| side <= MOST);
        ensure!(fits, "\"{}\" is {shape}: a side is at most {MOST}", tensor.name);
        let rows = plan.rows[index];
        ensure!(rows == shape.height || rows <= u8::MAX.into(), "more rows than a ring has");
        size(plan.offsets[index])?;
    }
    for layer in &network.layers {
        let Some(window) = layer.operator.window() else { continue };
        let numbers = [window.kernel, window.stride, window.before];
        let largest = numbers.as_flattened().iter().max().copied().unwrap_or(0);
        ensure!(largest <= MOST, "layer \"{}\" has a window of {largest}: at most {MOST}", layer.name);
    }
    Ok(())
}
