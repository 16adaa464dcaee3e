//! A model with all the memory that it needs, from picture to probabilities.

use crate::threads::Pool;
use anyhow::{Context, Result};
use edge8::{Model, Operator, Recipe, Reject, Threads};
use edge8_preprocess::Picture;
use edge8_preprocess::workspace_len;
use files::CacheAligned;
use std::time::{Duration, Instant};

pub struct Classifier<'a> {
    model: Model<'a>,
    pool: Pool,
    recipe: Recipe<'a>,
    reject: Option<Reject>,
    labels: Vec<&'a str>,
    workspace: Vec<u8>,
    input: Vec<i8>,
    arena: CacheAligned,
    output: Vec<i8>,
}

/// What the network says about a picture, and how long it took.
pub struct Reading {
    /// The likeliest one.
    pub class: usize,
    /// Whether the model's rule says that the picture may be of none of the classes.
    pub rejected: bool,
    pub preprocessing: Duration,
    pub inference: Duration,
}

impl<'a> Classifier<'a> {
    pub fn new(model: Model<'a>, pool: Pool) -> Result<Self> {
        let recipe = model.recipe().context(
            "this model says nothing of pictures: make it with `quantizer import --recipe` or `quantizer calibrate`, or give it \
             tensors with `runtime infer`",
        )?;
        let outputs = model.output().shape.len();
        let labels: Vec<&str> = model.labels().map(Iterator::collect).unwrap_or_default();
        Ok(Self {
            recipe,
            reject: model.reject().ok(),
            labels,
            workspace: Vec::new(),
            input: vec![0; model.input().shape.len()],
            arena: files::arena(&model, pool.count())?,
            output: vec![0; outputs],
            model,
            pool,
        })
    }

    pub fn recipe(&self) -> &Recipe<'a> {
        &self.recipe
    }

    /// Channels of the pictures: 1 for grey, 3 for colour.
    pub fn channels(&self) -> usize {
        self.recipe.input_shape().channels.into()
    }

    pub fn classes(&self) -> usize {
        self.output.len()
    }

    /// The name of a class; its number if the model has no names.
    pub fn label(&self, class: usize) -> String {
        self.labels.get(class).map_or_else(|| class.to_string(), |label| label.to_string())
    }

    /// What a picture is called that is rejected.
    pub fn none(&self) -> &'static str {
        match self.recipe {
            Recipe::Digit(_) => "no digit",
            _ => "none of these",
        }
    }

    pub fn classify(&mut self, picture: &Picture<'_>) -> Result<Reading> {
        let begin = Instant::now();
        let len = workspace_len(&self.recipe.preparation(), picture.width(), picture.height());
        self.workspace.resize(len, 0);
        edge8_preprocess::apply(&self.recipe, picture, &mut self.workspace, &mut self.input)?;
        let framed = Instant::now();
        let Self { model, pool, input, arena, output, .. } = self;
        pool.install(|| model.run_on(pool, input, arena, output, |_| ()))?;
        let inference = framed.elapsed();
        let class = Model::class(&self.output);
        let rejected = self.reject.is_some_and(|rule| !rule.accepts(&self.output));
        Ok(Reading { class, rejected, preprocessing: framed - begin, inference })
    }

    /// The probability of each class in the latest reading.
    pub fn probabilities(&self) -> Vec<f64> {
        let output = self.model.output();
        let real = |q: &i8| (f64::from(*q) - f64::from(output.zero_point)) * f64::from(output.scale);
        let values: Vec<f64> = self.output.iter().map(real).collect();
        match self.model.operators().last() {
            Some(Operator::Softmax(_)) => values,
            // A network that ends in logits.
            _ => softmax(&values),
        }
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn softmax_of_equal_and_unequal_logits() {
        assert_eq!(super::softmax(&[3.0, 3.0]), [0.5, 0.5]);
        let two = super::softmax(&[1000.0, 1000.0 + 3f64.ln()]);
        assert!((two[1] - 0.75).abs() < 1e-9 && (two[0] - 0.25).abs() < 1e-9);
    }
}
