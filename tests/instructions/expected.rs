//! The counts that are expected: `tests/instructions.txt`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use tests::commands;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub processor: String,
    pub kernels: String,
    pub model: String,
}

impl Key {
    pub fn new(processor: &str, kernels: &str, model: &str) -> Self {
        Self { processor: processor.into(), kernels: kernels.into(), model: model.into() }
    }
}

/// Instructions of one inference.
pub type Counts = BTreeMap<Key, u64>;

/// Beyond this, in percent, a count is another one: within it are small changes of code that has nothing to do with speed.
const TOLERANCE: u64 = 2;

/// How the file is written anew.
const UPDATE: &str = "EDGE8_UPDATE_COUNTS=1 cargo test --release -p tests --test instructions";

/// Fails with a line for each count that is not as expected.
pub fn compare(counts: &Counts) {
    let expected = read();
    let wrong: Vec<String> =
        counts.iter().filter_map(|(key, &found)| problem(key, found, &expected)).collect();
    assert!(wrong.is_empty(), "\n{}\nThe new figures are written by: {UPDATE}\n", wrong.join("\n"));
}

fn problem(key: &Key, found: u64, expected: &Counts) -> Option<String> {
    let Key { processor, kernels, model } = key;
    let name = format!("{model} on {processor}, {kernels} kernels: {found} instructions");
    let Some(&wanted) = expected.get(key) else { return Some(format!("{name}, none written down")) };
    let verdict = if found > wanted { "slower" } else { "faster: write the new figure" };
    let change = 100.0 * (found as f64 / wanted as f64 - 1.0);
    (100 * found.abs_diff(wanted) > TOLERANCE * wanted)
        .then(|| format!("{name}, expected {wanted} ({change:+.1} %, {verdict})"))
}

/// Writes the file.
pub fn write(counts: &Counts) {
    let mut text =
        format!("# Instructions of one inference: processor, kernels, model, count.\n# {UPDATE}\n");
    for (Key { processor, kernels, model }, count) in counts {
        text += &format!("{processor:<10} {kernels:<8} {model:<33} {count:>9}\n");
    }
    std::fs::write(path(), text).expect("written");
}

fn read() -> Counts {
    let text = std::fs::read_to_string(path()).expect("part of the repository");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| parse(line).unwrap_or_else(|| panic!("not a count: {line}"))).collect()
}

fn parse(line: &str) -> Option<(Key, u64)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let &[processor, kernels, model, count] = fields.as_slice() else { return None };
    Some((Key::new(processor, kernels, model), count.parse().ok()?))
}

fn path() -> PathBuf {
    commands::root().join("tests/instructions.txt")
}

#[test]
fn two_percent_either_way_are_told() {
    let key = Key::new("cortex-a53", "neon", "a");
    let expected = Counts::from([(key.clone(), 1000)]);
    let problem = |found| problem(&key, found, &expected).unwrap_or_default();
    assert!(problem(980).is_empty() && problem(1020).is_empty());
    assert_eq!(
        problem(979),
        "a on cortex-a53, neon kernels: 979 instructions, expected 1000 (-2.1 %, faster: write the new figure)"
    );
    assert!(problem(1021).ends_with("expected 1000 (+2.1 %, slower)"));
}
