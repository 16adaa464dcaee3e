//! Float and int8 on the same images.

mod mcnemar;

pub use mcnemar::Discordance;

use crate::float::{self, Engine};
use crate::graph::Graph;
use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use runtime::Model;
use runtime::image::layout::section;
use runtime::preprocess::Recipe;
use trainer::data::Dataset;

/// Images that one thread takes at a time.
const BLOCK: usize = 64;

/// What both networks say about one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The right class.
    pub label: usize,
    /// The float network's class.
    pub float: usize,
    /// The int8 network's class.
    pub int8: usize,
}

/// The answers to a set of images, in their order.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// One per image.
    pub answers: Vec<Answer>,
}

impl Comparison {
    /// The share of images that the float network classifies rightly, in [0, 1].
    pub fn float_accuracy(&self) -> f64 {
        self.share(|answer| answer.float == answer.label)
    }

    /// The share of images that the int8 network classifies rightly, in [0, 1].
    pub fn int8_accuracy(&self) -> f64 {
        self.share(|answer| answer.int8 == answer.label)
    }

    /// The share of images that both put into the same class, right or wrong, in [0, 1].
    pub fn agreement(&self) -> f64 {
        self.share(|answer| answer.float == answer.int8)
    }

    /// How often just one of the two is right.
    pub fn discordance(&self) -> Discordance {
        let count = |lost: bool| {
            let differ = |a: &&Answer| (a.float == a.label) != (a.int8 == a.label);
            self.answers.iter().filter(differ).filter(|a| (a.float == a.label) == lost).count()
        };
        Discordance { images: self.answers.len(), lost: count(true), gained: count(false) }
    }

    /// The images on which the two differ, with their indices.
    pub fn flips(&self) -> impl Iterator<Item = (usize, Answer)> {
        self.answers.iter().copied().enumerate().filter(|(_, answer)| answer.float != answer.int8)
    }

    fn share(&self, condition: impl Fn(&Answer) -> bool) -> f64 {
        self.answers.iter().filter(|answer| condition(answer)).count() as f64
            / self.answers.len().max(1) as f64
    }
}

/// Runs both networks on all images: the float one on `byte * scale`, the int8 one through the image's own recipe.
///
/// # Errors
/// Without images, or if the networks, the recipe and the images do not belong together.
pub fn compare(graph: &Graph, scale: f32, model: &Model<'_>, images: &Dataset) -> Result<Comparison> {
    ensure!(!images.labels.is_empty(), "there are no images to compare on");
    let recipe = model.recipe().context("the model image")?;
    check_match(graph, model, &recipe, images)?;
    // A recipe ends with its table from bytes to int8 values.
    let table: &[u8; 256] =
        model.section(section::RECIPE)?.last_chunk().context("the recipe has no table")?;
    let engine = Engine::new(graph, &[float::logits(graph)])?;
    let indices: Vec<usize> = (0..images.labels.len()).collect();
    let blocks = indices.par_chunks(BLOCK).map(|block| {
        let mut arena = vec![0; model.arena_len()];
        let mut output = vec![0; model.output().shape.len()];
        let answers = block.iter().map(|&index| {
            let bytes = images.image(index);
            let reals: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) * scale).collect();
            let mut float = 0;
            engine.run(&reals, |_, logits| float = class(logits.iter().copied()))?;
            let input: Vec<i8> = bytes.iter().map(|&byte| table[usize::from(byte)] as i8).collect();
            model.run(&input, &mut arena, &mut output)?;
            Ok(Answer { label: images.labels[index] as usize, float, int8: class(output.iter().copied()) })
        });
        answers.collect::<Result<Vec<Answer>>>()
    });
    let blocks = blocks.collect::<Result<Vec<_>>>()?;
    Ok(Comparison { answers: blocks.concat() })
}

fn check_match(graph: &Graph, model: &Model<'_>, recipe: &Recipe<'_>, images: &Dataset) -> Result<()> {
    let shapes = [graph.input(), graph.output()].map(|id| graph.tensor(id).shape.volume());
    let found = [model.input(), model.output()].map(|tensor| tensor.shape.len());
    ensure!(
        shapes == found,
        "the float network has {} inputs and {} outputs, the model image {} and {}: they are no pair",
        shapes[0],
        shapes[1],
        found[0],
        found[1]
    );
    let side = usize::from(recipe.framing().side);
    ensure!(images.side == side, "the images are framed to {}, the model image wants {side}", images.side);
    let largest = images.labels.iter().max().map_or(0, |&label| label as usize);
    ensure!(
        largest < shapes[1],
        "the images have labels up to {largest}, the networks {} classes",
        shapes[1]
    );
    Ok(())
}

/// The position of the largest value, the first of equals.
fn class<T: PartialOrd>(values: impl Iterator<Item = T>) -> usize {
    let mut best: Option<(usize, T)> = None;
    for (index, value) in values.enumerate() {
        if best.as_ref().is_none_or(|(_, largest)| value > *largest) {
            best = Some((index, value));
        }
    }
    best.map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_flips_are_counted() {
        let answer = |label, float, int8| Answer { label, float, int8 };
        let answers =
            vec![answer(1, 1, 1), answer(2, 2, 3), answer(4, 5, 4), answer(6, 7, 8), answer(6, 6, 0)];
        let comparison = Comparison { answers };
        assert_eq!(comparison.float_accuracy(), 0.6);
        assert_eq!(comparison.int8_accuracy(), 0.4);
        assert_eq!(comparison.agreement(), 0.2);
        assert_eq!(comparison.discordance(), Discordance { images: 5, lost: 2, gained: 1 });
        assert_eq!(comparison.flips().map(|(index, _)| index).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn the_first_of_equal_classes_wins() {
        assert_eq!(class([3i8, 7, 7, -1].into_iter()), 1);
    }
}
