//! Compares the layers of A and B for one input, each alone.

use super::engine::Engine;
use super::finding::{Finding, Values};
use super::site::Site;
use super::trace::{self, Known};
use crate::quantize::{Int8Operator, Layer, Network};
use anyhow::Result;

/// What is found about each layer whose output in B is known. `a` are the values of A's tensors, `b` what is known of
/// B's, `engines` what B may be beside A's own arithmetic.
///
/// # Errors
/// As [`Site::contract`].
pub(super) fn judge(
    network: &Network,
    input: usize,
    a: &[Vec<i8>],
    mut b: Known,
    engines: &[Engine],
) -> Result<Vec<Finding>> {
    let stated = |(_, layer): &(usize, &Layer)| b[layer.output.index()].is_some();
    let layers: Vec<(usize, &Layer)> = network.layers.iter().enumerate().filter(stated).collect();
    trace::complete(network, &mut b)?;
    // What B's unknown tensors would be in A's arithmetic, and in each engine's.
    let expected = trace::fill(network, &b, |site| site.contract())?;
    let fill = |engine: &Engine| trace::fill(network, &b, |site| engine.apply(site));
    let filled = engines.iter().map(fill).collect::<Result<Vec<_>>>()?;
    let mut findings = Vec::new();
    for (index, layer) in layers {
        let exact = layer.inputs.iter().all(|id| b[id.index()].is_some());
        if exact && matches!(layer.operator, Int8Operator::Reshape | Int8Operator::Constant(_)) {
            continue;
        }
        let site = Site::of(network, layer, &expected);
        let mut candidates = Vec::new();
        for (engine, tensors) in engines.iter().zip(&filled) {
            candidates.push(if exact {
                let rule = engine.rule(&layer.operator);
                (rule.map_or("contract", |rule| rule.name()), engine.apply(&site)?)
            } else {
                (engine.name(), engine.apply(&Site::of(network, layer, tensors))?)
            });
        }
        let (name, operator) = (layer.name.clone(), layer.operator.name());
        let mut finding = Finding { layer: index, name, operator, alone: exact, ..Finding::default() };
        let at = layer.output.index();
        finding.add(&Values {
            input,
            shape: network.tensor(layer.output).shape,
            a: &a[at],
            b: b[at].as_deref().unwrap_or_default(),
            expected: &site.contract()?,
            candidates: &candidates,
        });
        findings.push(finding);
    }
    Ok(findings)
}
