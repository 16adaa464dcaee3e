//! A network beside another engine's tensors.

use super::align::{Item, align, items, unpaired};
use super::comparison::{Comparison, merged};
use super::dump::Dump;
use super::engine::Engine;
use super::finding::Finding;
use super::inputs;
use super::judge::judge;
use super::trace::{self, Known};
use crate::image::{self, Extras};
use crate::quantize::Network;
use anyhow::{Result, ensure};
use edge8::Model;
use rayon::prelude::*;

/// Compares a network with a dump: its layers on the first input, its output on all.
///
/// # Errors
/// If A cannot be run, the dump has not an output for each input, or nothing in it belongs to a layer of A.
pub(super) fn compare(a: &Network, b: &Dump, inputs: &[Vec<i8>]) -> Result<Comparison> {
    let image = image::write(a, &Extras::default())?;
    let model = Model::parse(&image)?;
    let judge =
        |index: usize, known| judge(a, index, &trace::run(a, &model, &inputs[index])?, known, &Engine::ALL);
    let outputs = outputs(a, b, inputs.len())?;
    let Layers { first, alone } = layers(a, b, &inputs[0], outputs.first())?;
    let mut findings = Vec::new();
    let mut ends = 0..outputs.len();
    if let Some(known) = first {
        // An engine that keeps its layers may fuse, and round, otherwise than one that only answers.
        ends.start = usize::from(known[a.output.index()].as_ref() == outputs.first());
        findings = judge(0, known)?;
    }
    let end = |index: usize| {
        let mut known: Known = vec![None; a.tensors.len()];
        known[0] = Some(inputs[index].clone());
        known[a.output.index()] = Some(outputs[index].clone());
        judge(index, known)
    };
    let ends = ends.into_par_iter().map(end).collect::<Result<Vec<_>>>()?;
    findings.extend(merged(ends).into_iter().map(|finding| Finding { name: "output".into(), ..finding }));
    ensure!(
        !findings.is_empty(),
        "no array of B belongs to a layer of A: name them \"layer_NNN_OPERATOR\", \"output\" or as A's layers, {}",
        a.layers.first().map_or("", |layer| layer.name.as_str())
    );
    let gives_all = |engine: usize| findings.iter().all(|finding| finding.mismatches[engine] == 0);
    let engines = Engine::ALL.into_iter().enumerate().filter(|(index, _)| gives_all(*index));
    let engines = engines.map(|(_, engine)| engine).collect();
    Ok(Comparison { inputs: inputs.len(), findings, alone, engines })
}

/// The outputs for each input, or none.
fn outputs(a: &Network, b: &Dump, count: usize) -> Result<Vec<Vec<i8>>> {
    let Some(output) = &b.output else { return Ok(Vec::new()) };
    let outputs = inputs::cut(output, a.tensor(a.output).shape.volume())?;
    ensure!(outputs.len() == count, "{} outputs for {count} inputs", outputs.len());
    Ok(outputs)
}

/// What a dump says of the first input.
struct Layers {
    /// [`None`] if it has no layer of A.
    first: Option<Known>,
    /// Layers that only A and only B have.
    alone: [Vec<String>; 2],
}

fn layers<'a>(a: &Network, b: &'a Dump, input: &[i8], output: Option<&Vec<i8>>) -> Result<Layers> {
    let item = |(name, values): &'a (String, Vec<i8>)| {
        // A layer of a model image is called by its number and its operator.
        let operator = name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
        Item { name, operator, len: values.len() }
    };
    let of_b: Vec<Item<'_>> = b.layers.iter().map(item).collect();
    let pairs = align(&items(a), &of_b);
    let mut known: Known = vec![None; a.tensors.len()];
    for layer in &a.layers {
        let named = b.tensors.get(&layer.name);
        let fits = |values: &&Vec<i8>| values.len() == a.tensor(layer.output).shape.volume();
        known[layer.output.index()] = named.filter(fits).cloned();
    }
    for &(x, y) in &pairs {
        known[a.layers[x].output.index()] = Some(b.layers[y].1.clone());
    }
    let paired: Vec<usize> =
        (0..a.layers.len()).filter(|&index| known[a.layers[index].output.index()].is_some()).collect();
    let of_b_paired: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
    let alone = [unpaired(&items(a), &paired), unpaired(&of_b, &of_b_paired)];
    if paired.is_empty() {
        return Ok(Layers { first: None, alone });
    }
    let last = &mut known[a.output.index()];
    *last = last.take().or(output.cloned());
    known[0] = Some(input.to_vec());
    Ok(Layers { first: Some(known), alone })
}
