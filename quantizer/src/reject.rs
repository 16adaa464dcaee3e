//! The reject rule of a model image: fitted so that a share of the pictures that a network has not learnt from is rejected.

use crate::FloatNetwork;
use crate::image;
use crate::quantize::Quantisation;
use crate::samples::{Int8Input, Samples};
use anyhow::{Result, ensure};
use edge8::format::section;
use edge8::{Model, Operator, Reject};
use mobilenet::Confidence;
use std::fmt;

/// A rule, and what it was fitted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// The rule.
    pub rule: Reject,
    /// How many pictures.
    pub pictures: usize,
    /// Whether they are those of `trainer fit`'s validation, and none of these samples.
    pub by_trainer: bool,
}

impl fmt::Display for Fitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = if self.by_trainer { "validation pictures" } else { "pictures of --data" };
        let steps = i16::from(self.rule.least()) - i16::from(i8::MIN);
        write!(f, "reject rule: an output below {steps} of 256, fitted on {} {of}", self.pictures)
    }
}

/// The rule for the int8 image of a network that rejects at most this share, up to [`Confidence::MOST`], of pictures of its
/// classes: of those that `trainer fit` validated it with if its file says how sure it was of them, else of `samples`. [`None`] if
/// there are so few that a single one is more.
///
/// # Errors
/// If the share is not from 0 to the most.
pub fn fit(float: &FloatNetwork, image: &[u8], samples: &Samples, share: f64) -> Result<Option<Fitted>> {
    let most = Confidence::MOST;
    ensure!((0.0..=most).contains(&share), "a reject rate of {share}, expected 0 to {most}");
    let model = Model::parse(image)?;
    let softmax = matches!(model.operators().last(), Some(Operator::Softmax(_)));
    let (known, by_trainer) = match &float.confidence {
        Some(known) if softmax => (known.clone(), true),
        _ => (Confidence::new(largest_outputs(&model, samples)?), false),
    };
    let output = model.output();
    let quantisation = Quantisation { scale: output.scale, zero_point: output.zero_point };
    let rule = |limit| Reject::new(quantisation.quantise(limit));
    Ok(known.limit(share).map(|limit| Fitted { rule: rule(limit), pictures: known.pictures, by_trainer }))
}

/// The image with a rule, in the place of one that it may have had.
///
/// # Errors
/// If it is no model image.
pub fn with_rule(image: &[u8], rule: Reject) -> Result<Vec<u8>> {
    let model = Model::parse(image)?;
    let mut sections = image::optional_sections(&model);
    sections.retain(|(kind, _)| *kind != section::REJECT);
    sections.push((section::REJECT, rule.encode().to_vec()));
    image::write_sections(&image::read(&model)?, &sections)
}

/// The largest output for every sample that can be read.
fn largest_outputs(model: &Model<'_>, samples: &Samples) -> Result<Vec<f32>> {
    let everything: Vec<usize> = (0..samples.len()).collect();
    let (readable, _) = samples.readable(&everything);
    let mut arena = vec![0; model.arena_len()];
    let mut output = vec![0; model.output_len()];
    let int8 = Int8Input::of(model);
    let tensor = model.output();
    let outputs = readable.into_iter().map(|index| {
        let sample = samples.get(index)?;
        model.run(&int8.quantise(&sample, &samples.reals(&sample)), &mut arena, &mut output)?;
        let largest = i32::from(output[Model::class(&output)]);
        Ok((largest - i32::from(tensor.zero_point)) as f32 * tensor.scale)
    });
    outputs.collect()
}
