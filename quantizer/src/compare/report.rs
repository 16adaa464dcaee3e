//! What was found, in words and as JSON.

use super::comparison::Comparison;
use super::engine::Engine;
use super::finding::Finding;
use serde_json::{Value, json};

/// Longest name of a layer that is shown in full; TensorFlow joins the names of all it has fused.
const NAME: usize = 32;

/// Most differences that the table shows by their size.
const SIZES: usize = 4;

impl Comparison {
    /// The table of layers.
    pub fn table(&self) -> String {
        let mut lines = vec![format!(
            "{:<NAME$} {:<18} {:>9} {:>8} {:>8}  {}",
            "layer", "operator", "values", "differ", "own", "explained"
        )];
        for finding in &self.findings {
            lines.push(row(finding));
            lines.extend(finding.constants.iter().map(|what| format!("{:NAME$}   A and B: {what}", "")));
        }
        for (side, names) in ["A", "B"].into_iter().zip(&self.alone) {
            if !names.is_empty() {
                lines.push(format!("only in {side}: {}", names.join(", ")));
            }
        }
        lines.join("\n")
    }

    /// One line: equal, explained or not, and where it begins.
    pub fn verdict(&self) -> String {
        let Some(first) = self.findings.iter().find(|finding| finding.differing > 0) else {
            return format!("equal: {} values on {} inputs", self.sum(|finding| finding.values), self.inputs);
        };
        let own = self.sum(|finding| finding.own);
        let unexplained = self.findings.iter().find_map(|f| Some((f, f.first_unexplained?)));
        if let Some((finding, element)) = unexplained {
            let [row, column, channel] = element.at;
            return format!(
                "UNEXPLAINED: {} of {own} own differences, first in \"{}\": input {}, row {row}, column {column}, \
                 channel {channel} is {} in B, and {} is what A makes of {}",
                self.sum(|finding| finding.unexplained),
                short(&finding.name),
                element.input,
                element.found,
                element.expected,
                if finding.alone { "the same inputs" } else { "it; B's layers before it would tell more" }
            );
        }
        let engines = match &self.engines[..] {
            [] => "no single engine gives all of B".to_owned(),
            engines => format!("B is what {} computes", names(engines).join(" or ")),
        };
        format!("explained: all {own} own differences, first in \"{}\"; {engines}", short(&first.name))
    }

    /// All of it.
    pub fn json(&self) -> Value {
        let first = self.findings.iter().find(|finding| finding.differing > 0);
        json!({
            "inputs": self.inputs,
            "layers": self.findings.iter().map(layer).collect::<Vec<_>>(),
            "only_in_a": self.alone[0],
            "only_in_b": self.alone[1],
            "first_difference": first.map(|finding| &finding.name),
            "own": self.sum(|finding| finding.own),
            "unexplained": self.sum(|finding| finding.unexplained),
            "engines": names(&self.engines),
            "passed": self.passed(),
        })
    }

    fn sum(&self, of: impl Fn(&Finding) -> usize) -> usize {
        self.findings.iter().map(of).sum()
    }
}

fn names(engines: &[Engine]) -> Vec<&'static str> {
    engines.iter().map(|engine| engine.name()).collect()
}

fn short(name: &str) -> String {
    match name.chars().count() {
        ..=NAME => name.to_owned(),
        _ => name.chars().take(NAME - 1).chain(['…']).collect(),
    }
}

fn row(finding: &Finding) -> String {
    let Finding { operator, values, differing, own, .. } = finding;
    let name = short(&finding.name);
    let mut words: Vec<String> = Vec::new();
    if *differing > 0 {
        words.push(format!("({})", sizes(finding)));
    }
    if *differing > 0 && *own == 0 {
        words.push("inherited".into());
    }
    words.extend(finding.explained.iter().map(|(rule, count)| format!("{rule}: {count}")));
    if finding.unexplained > 0 {
        words.push(format!("UNEXPLAINED: {}", finding.unexplained));
    }
    format!("{name:<NAME$} {operator:<18} {values:>9} {differing:>8} {own:>8}  {}", words.join(", "))
        .trim_end()
        .to_owned()
}

/// The commonest sizes of a layer's differences.
fn sizes(finding: &Finding) -> String {
    let mut sizes: Vec<(i16, usize)> = finding.histogram.iter().map(|(&by, &count)| (by, count)).collect();
    sizes.sort_by_key(|&(by, count)| (std::cmp::Reverse(count), by));
    let mut words: Vec<String> =
        sizes.iter().take(SIZES).map(|(by, count)| format!("{count} by {by:+}")).collect();
    let others: usize = sizes.iter().skip(SIZES).map(|(_, count)| count).sum();
    if others > 0 {
        words.push(format!("{others} by others"));
    }
    words.join(", ")
}

fn layer(finding: &Finding) -> Value {
    let first = finding.first_unexplained.map(|element| {
        json!({
            "input": element.input,
            "at": element.at,
            "expected": element.expected,
            "found": element.found,
        })
    });
    json!({
        "name": finding.name,
        "operator": finding.operator,
        "alone": finding.alone,
        "values": finding.values,
        "differing": finding.differing,
        "histogram": finding.histogram,
        "own": finding.own,
        "largest_own": finding.largest_own,
        "explained": finding.explained,
        "unexplained": finding.unexplained,
        "first_unexplained": first,
        "constants": finding.constants,
    })
}
