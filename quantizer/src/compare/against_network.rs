//! A network beside another.

use super::align::{align, items, unpaired};
use super::comparison::{Comparison, merged};
use super::constants;
use super::judge::judge;
use super::trace::{self, Known};
use crate::image::{self, Extras};
use crate::quantize::Network;
use anyhow::{Context, Result, ensure};
use edge8::Model;
use rayon::prelude::*;

/// Compares two networks, every layer on every input.
///
/// # Errors
/// If one cannot be run, or their inputs or outputs differ in size.
pub(super) fn compare(a: &Network, b: &Network, inputs: &[Vec<i8>]) -> Result<Comparison> {
    for (what, [x, y]) in [("input", [0, 0]), ("output", [a.output.index(), b.output.index()])] {
        let [x, y] = [a.tensors[x].shape, b.tensors[y].shape];
        ensure!(x.volume() == y.volume(), "the {what} is {x} in A and {y} in B: they are no pair");
    }
    let image = |network| image::write(network, &Extras::default());
    let (image_a, image_b) = (image(a).context("A")?, image(b).context("B")?);
    let (model_a, model_b) = (Model::parse(&image_a)?, Model::parse(&image_b)?);
    let pairs = align(&items(a), &items(b));
    let judged = inputs.par_iter().enumerate().map(|(index, input)| {
        let tensors = trace::run(b, &model_b, input)?;
        let mut known: Known = vec![None; a.tensors.len()];
        known[0] = Some(input.clone());
        known[a.output.index()] = Some(tensors[b.output.index()].clone());
        for &(x, y) in &pairs {
            known[a.layers[x].output.index()] = Some(tensors[b.layers[y].output.index()].clone());
        }
        judge(a, index, &trace::run(a, &model_a, input)?, known, &[])
    });
    let mut findings = merged(judged.collect::<Result<Vec<_>>>()?);
    for &(x, y) in &pairs {
        if let Some(finding) = findings.iter_mut().find(|finding| finding.layer == x) {
            finding.constants = constants::differences((a, &a.layers[x]), (b, &b.layers[y]));
        }
    }
    let (of_a, of_b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let alone = [unpaired(&items(a), &of_a), unpaired(&items(b), &of_b)];
    Ok(Comparison { inputs: inputs.len(), findings, alone, engines: Vec::new() })
}
