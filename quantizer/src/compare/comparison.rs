//! What is found about two networks.

use super::engine::Engine;
use super::finding::Finding;

/// What was found.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Number of inputs.
    pub inputs: usize,
    /// The layers that both have, in A's order; of a dump, whose layers are those of the first input, at the end the
    /// network's output for the others.
    pub findings: Vec<Finding>,
    /// Layers that only A has, and that only B has.
    pub alone: [Vec<String>; 2],
    /// The engines that give every value of B that was compared.
    pub engines: Vec<Engine>,
}

impl Comparison {
    /// Whether no element is unexplained.
    pub fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.unexplained == 0)
    }
}

/// What was found on several inputs, in one list; the inputs have the same layers.
pub(super) fn merged(each: Vec<Vec<Finding>>) -> Vec<Finding> {
    let mut each = each.into_iter();
    let mut findings = each.next().unwrap_or_default();
    for later in each {
        findings.iter_mut().zip(later).for_each(|(finding, later)| finding.merge(later));
    }
    findings
}
