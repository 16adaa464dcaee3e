//! A network that begins where another one has ended: for other classes, another input size or other colours.

use anyhow::{Context, Result};

use super::Network;
use super::layers::Part;
use crate::ops::batch_norm::Statistics;
use crate::ops::geometry::TAPS;
use mobilenet::{Architecture, ModelFile, Preprocessing};

/// The first convolution, whose weights depend on what the input's values mean.
const STEM: &str = "stem";

impl Network {
    /// A network with the weights of `other`, whose layers are as wide: what cannot be taken from there, the classes of other
    /// names above all, is drawn from `seed`. The first convolution is adapted to the colours and the scale of the new
    /// input, so that the same picture gives the same values behind it (but for the border: it is as a pixel of the value 0).
    ///
    /// # Errors
    /// Names the tensor that `other` lacks.
    pub(crate) fn from_other(
        architecture: Architecture,
        preprocessing: &Preprocessing,
        seed: u64,
        other: &ModelFile,
    ) -> Result<Self> {
        let mut network = Self::new(architecture, seed);
        let stem = Stem::new(&network.architecture, preprocessing, other)?;
        let classes = network.architecture.classes.clone();
        let last = network.architecture.dense_layers().last().map_or("", |dense| dense.name);
        for (part, values) in network.named_mut() {
            match part.name.split_once('.') {
                Some((STEM, "weight")) => values.copy_from_slice(&stem.weights),
                Some((name, _)) if name == last => take_classes(&classes, part, other, values),
                Some(("dense1", _)) => take_hidden(part, other, values),
                _ => values.copy_from_slice(other.tensor(&part.name, &part.shape)?),
            }
        }
        let mut statistics = network.stored_statistics(other)?;
        stem.shift(&mut statistics[0][0]);
        network.statistics = statistics;
        Ok(network)
    }
}

/// Takes over a hidden layer of the same size.
fn take_hidden(part: &Part, other: &ModelFile, values: &mut [f32]) {
    if let Some(source) = other.tensors.get(&part.name).filter(|source| source.shape == part.shape) {
        values.copy_from_slice(&source.values);
    }
}

/// Takes over what the last layer of `other` knows of the classes of the same names, if there are as many features.
fn take_classes(classes: &[String], part: &Part, other: &ModelFile, values: &mut [f32]) {
    let known = &other.architecture.classes;
    let Some(source) = other.tensors.get(&part.name) else { return };
    if source.values.len() * classes.len() != values.len() * known.len() {
        return;
    }
    for (unit, class) in classes.iter().enumerate() {
        let Some(place) = known.iter().position(|known| known == class) else { continue };
        let rows = values.chunks_exact_mut(classes.len()).zip(source.values.chunks_exact(known.len()));
        rows.for_each(|(row, source)| row[unit] = source[place]);
    }
}

/// The first convolution's weights for another input, and what that adds to their outputs.
struct Stem {
    weights: Vec<f32>,
    moved: Vec<f32>,
}

impl Stem {
    /// The network of `other` sees `byte * scale + shift` of its own, the new one of `preprocessing`.
    fn new(architecture: &Architecture, preprocessing: &Preprocessing, other: &ModelFile) -> Result<Self> {
        let name = format!("{STEM}.weight");
        let old = &other.tensors.get(&name).with_context(|| format!("the model has no tensor {name}"))?;
        let (units, from, to) =
            (architecture.stem_channels(), other.architecture.channels, architecture.channels);
        let old = other.tensor(&name, &[3, 3, from, units]).map(|_| &old.values)?;
        let scale = other.preprocessing.scale / preprocessing.scale;
        let shift = other.preprocessing.shift - preprocessing.shift * scale;
        let mut weights = Vec::with_capacity(TAPS * to * units);
        let mut moved = vec![0.0; units];
        for tap in old.chunks_exact(from * units) {
            let sum = |unit: usize| tap.iter().skip(unit).step_by(units).sum::<f32>();
            for channel in 0..to {
                // Grey is the mean of three colours: its weight is their sum, a third of which each of them gets.
                weights.extend((0..units).map(|unit| {
                    let weight = if from == to { tap[channel * units + unit] } else { sum(unit) / to as f32 };
                    weight * scale as f32
                }));
            }
            moved.iter_mut().enumerate().for_each(|(unit, moved)| *moved += sum(unit) * shift as f32);
        }
        Ok(Self { weights, moved })
    }

    /// What the outputs have lost, their mean has lost too.
    fn shift(&self, statistics: &mut Statistics) {
        statistics.mean.iter_mut().zip(&self.moved).for_each(|(mean, moved)| *mean -= moved);
    }
}
