//! Float and int8 on the same images.

mod mcnemar;
mod tango;

pub use mcnemar::{Discordance, Verdict};

use crate::float::{self, Engine};
use crate::graph::Graph;
use crate::samples::{Int8Input, Samples};
use anyhow::{Context, Result, bail, ensure};
use edge8::Model;
use rayon::prelude::*;

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

    /// Whether the float network is no better than guessing, see [`files::at_chance`].
    pub fn float_is_at_chance(&self) -> bool {
        let mut counts = vec![0; self.answers.iter().map(|answer| answer.label + 1).max().unwrap_or(0)];
        self.answers.iter().for_each(|answer| counts[answer.label] += 1);
        let correct = self.answers.iter().filter(|answer| answer.float == answer.label).count();
        files::at_chance(correct, &counts)
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

/// Runs both networks on the samples of these indices, which have labels. Bytes go into the int8 network through the
/// image's own recipe where it has one, everything else with the scale and zero point of its input.
///
/// # Errors
/// Without samples or labels, or if the networks and the samples do not belong together.
pub fn compare(graph: &Graph, model: &Model<'_>, samples: &Samples, indices: &[usize]) -> Result<Comparison> {
    ensure!(!indices.is_empty(), "there are no images to compare on");
    let labels = samples.labels.as_ref().context("the images have no labels to compare with")?;
    check_match(graph, model, samples, labels)?;
    let int8 = Int8Input::of(model);
    let engine = Engine::new(graph, &[float::logits(graph)])?;
    let blocks = indices.par_chunks(BLOCK).map(|block| {
        let mut arena = vec![0; model.arena_len()];
        let mut output = vec![0; model.output().shape.len()];
        let answers = block.iter().map(|&index| {
            let sample = samples.get(index)?;
            let reals = samples.reals(&sample);
            let float = float_class(&engine, &reals).with_context(|| format!("image {index}"))?;
            model.run(&int8.quantise(&sample, &reals), &mut arena, &mut output)?;
            let label = *labels.get(index).context("there is no such image")?;
            Ok(Answer { label: label as usize, float, int8: class(output.iter().copied()) })
        });
        answers.collect::<Result<Vec<Answer>>>()
    });
    let blocks = blocks.collect::<Result<Vec<_>>>()?;
    Ok(Comparison { answers: blocks.concat() })
}

/// The float network's class.
fn float_class(engine: &Engine, reals: &[f32]) -> Result<usize> {
    let mut logits = Vec::new();
    engine.run(reals, |_, values| logits.extend_from_slice(values))?;
    if let Some(logit) = logits.iter().find(|logit| !logit.is_finite()) {
        bail!(
            "the float network answers with {logit}: its weights are too large for 32-bit floats, train it again"
        );
    }
    Ok(class(logits.into_iter()))
}

fn check_match(graph: &Graph, model: &Model<'_>, samples: &Samples, labels: &[u32]) -> Result<()> {
    let sides = |shape: crate::graph::Shape| [shape.height, shape.width, shape.channels];
    let [input, output] = [graph.input(), graph.output()].map(|id| sides(graph.tensor(id).shape));
    let found = [model.input(), model.output()];
    let found =
        found.map(|tensor| [tensor.shape.height, tensor.shape.width, tensor.shape.channels].map(usize::from));
    ensure!(
        [input, output] == found,
        "the float network reads {input:?} and answers with {output:?}, the model image {:?} and {:?}: they are no pair",
        found[0],
        found[1]
    );
    let side = sides(samples.shape);
    ensure!(side == input, "the images have the sides {side:?}, the networks read {input:?}");
    ensure!(output[..2] == [1, 1], "the networks answer with {output:?}: only classifiers can be checked");
    let largest = labels.iter().max().map_or(0, |&label| label as usize);
    ensure!(
        largest < output[2],
        "the images have labels up to {largest}, the networks {} classes",
        output[2]
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
    use crate::graph::{Activation, Filter, Operator, Shape};

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
    fn the_float_network_may_be_at_chance() {
        let answers = |right: usize| {
            let float = |index: usize| if index < right { index % 4 } else { 9 };
            let answer = |index: usize| Answer { label: index % 4, float: float(index), int8: 0 };
            Comparison { answers: (0..80).map(answer).collect() }
        };
        assert!(answers(24).float_is_at_chance() && !answers(40).float_is_at_chance());
    }

    #[test]
    fn the_first_of_equal_classes_wins() {
        assert_eq!(class([3i8, 7, 7, -1].into_iter()), 1);
    }

    #[test]
    fn an_answer_that_is_no_number_is_no_class() {
        let mut graph = Graph::new(Shape::new(1, 1, 2));
        let filter = Filter::new(vec![3e38, 3e38, 1.0, 2.0], vec![0.0; 2]).unwrap();
        let input = graph.input();
        graph.add("dense", Operator::FullyConnected(filter), Activation::None, &[input]).unwrap();
        let engine = Engine::new(&graph, &[float::logits(&graph)]).unwrap();
        assert_eq!(float_class(&engine, &[0.0, 1.0]).unwrap(), 0);
        let error = float_class(&engine, &[1.0, 1.0]).unwrap_err().to_string();
        assert!(error.contains("answers with inf"), "{error}");
    }
}
