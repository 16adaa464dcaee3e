//! What is found about one layer.

use super::engine::Engine;
use crate::graph::Shape;
use std::collections::{BTreeMap, BTreeSet};

/// An element that no known arithmetic explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unexplained {
    /// The number of the input.
    pub input: usize,
    /// Row, column and channel in the layer's output.
    pub at: [usize; 3],
    /// What A makes of B's own inputs to the layer.
    pub expected: i8,
    /// B's value.
    pub found: i8,
}

/// What is found about a layer, over one or several inputs.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// The layer's index in A.
    pub layer: usize,
    /// Its name in A.
    pub name: String,
    /// Its operator.
    pub operator: &'static str,
    /// Whether the layer's inputs in B are known, so that it is judged alone; else with what lies before it.
    pub alone: bool,
    /// Elements compared.
    pub values: usize,
    /// Elements that differ between A and B.
    pub differing: usize,
    /// How many of them differ by how much, B less A.
    pub histogram: BTreeMap<i16, usize>,
    /// Elements of B that A's arithmetic does not give on B's own inputs: B's own doing, no echo of earlier layers.
    pub own: usize,
    /// The largest of these differences.
    pub largest_own: u8,
    /// For each rule, or for each engine where the layer is not judged alone, how many of those it gives.
    pub explained: BTreeMap<&'static str, usize>,
    /// How many of those none of them gives.
    pub unexplained: usize,
    /// The first of these.
    pub first_unexplained: Option<Unexplained>,
    /// For each of [`Engine::ALL`] how many elements of B it does not give.
    pub mismatches: [usize; Engine::ALL.len()],
    /// What the layer's constants in A and B have unlike, in words.
    pub constants: Vec<String>,
}

/// The values of one layer for one input.
pub(super) struct Values<'a> {
    pub input: usize,
    pub shape: Shape,
    pub a: &'a [i8],
    pub b: &'a [i8],
    /// What A's arithmetic makes of B's inputs.
    pub expected: &'a [i8],
    /// For each engine that B may be, the name it goes by and what it makes of B's inputs.
    pub candidates: &'a [(&'static str, Vec<i8>)],
}

impl Values<'_> {
    fn unexplained(&self, index: usize) -> Unexplained {
        let Shape { width, channels, .. } = self.shape;
        let at = [index / channels / width, index / channels % width, index % channels];
        Unexplained { input: self.input, at, expected: self.expected[index], found: self.b[index] }
    }

    /// What the engines go by that give an element of B, each once.
    fn explanations(&self, index: usize) -> BTreeSet<&'static str> {
        let gives =
            |(name, values): &(&'static str, Vec<i8>)| (values[index] == self.b[index]).then_some(*name);
        self.candidates.iter().filter_map(gives).collect()
    }
}

impl Finding {
    /// Adds one input.
    pub(super) fn add(&mut self, values: &Values<'_>) {
        let Values { a, b, expected, candidates, .. } = *values;
        self.values += b.len();
        for (a, b) in a.iter().zip(b).filter(|(a, b)| a != b) {
            self.differing += 1;
            *self.histogram.entry(i16::from(*b) - i16::from(*a)).or_default() += 1;
        }
        for (mismatches, (_, candidate)) in self.mismatches.iter_mut().zip(candidates) {
            *mismatches += candidate.iter().zip(b).filter(|(x, b)| x != b).count();
        }
        for index in (0..b.len()).filter(|&index| expected[index] != b[index]) {
            self.own += 1;
            self.largest_own = self.largest_own.max(b[index].abs_diff(expected[index]));
            let names = values.explanations(index);
            if names.is_empty() {
                self.unexplained += 1;
                self.first_unexplained.get_or_insert_with(|| values.unexplained(index));
            }
            for name in names {
                *self.explained.entry(name).or_default() += 1;
            }
        }
    }

    /// Adds what was found on other, later inputs.
    pub(super) fn merge(&mut self, later: Self) {
        self.values += later.values;
        self.differing += later.differing;
        self.own += later.own;
        self.largest_own = self.largest_own.max(later.largest_own);
        self.unexplained += later.unexplained;
        self.first_unexplained = self.first_unexplained.or(later.first_unexplained);
        later.histogram.into_iter().for_each(|(by, count)| *self.histogram.entry(by).or_default() += count);
        later
            .explained
            .into_iter()
            .for_each(|(name, count)| *self.explained.entry(name).or_default() += count);
        self.mismatches.iter_mut().zip(later.mismatches).for_each(|(sum, count)| *sum += count);
    }
}
