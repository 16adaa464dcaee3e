//! What lies where in the arena, drawn as text.

use edge8::Operator;
use edge8::Tensor;
use std::collections::HashMap;
use std::ops::Range;

/// Columns of the map.
const COLUMNS: usize = 64;

/// A line per operator: `#` is written, `=` is read, `-` waits for a later operator, `.` is free. An input that the
/// output is written over counts once and shows as written.
pub fn memory_map(operators: &[Operator<'_>], arena: usize) -> String {
    let mut text = format!(
        "arena of {arena} bytes, {} a column: # written, = read, - kept, . free\n",
        arena.div_ceil(COLUMNS)
    );
    let last_reads = last_reads(operators);
    let mut kept: Vec<(Range<usize>, usize)> = Vec::new();
    for (index, operator) in operators.iter().enumerate() {
        let mut line = ['.'; COLUMNS];
        kept.retain(|(_, last)| *last > index);
        kept.iter().for_each(|(range, _)| fill(&mut line, range, arena, '-'));
        operator.inputs().for_each(|input| fill(&mut line, &input.range(), arena, '='));
        let output = operator.output().range();
        fill(&mut line, &output, arena, '#');
        let apart = operator.inputs().map(Tensor::range).filter(|input| *input != output);
        let used = output.len() + apart.map(|input| input.len()).sum::<usize>();
        let line: String = line.iter().collect();
        text += &format!("{index:>3} {:<17} {line} {used:>7} B\n", operator.name());
        if last_reads[index] > index {
            kept.push((output, last_reads[index]));
        }
    }
    text.trim_end().to_string()
}

/// For each operator the last one that reads what it wrote, or itself.
fn last_reads(operators: &[Operator<'_>]) -> Vec<usize> {
    let mut last: Vec<usize> = (0..operators.len()).collect();
    let mut writer: HashMap<Range<usize>, usize> = HashMap::new();
    for (index, operator) in operators.iter().enumerate() {
        for input in operator.inputs() {
            if let Some(&writer) = writer.get(&input.range()) {
                last[writer] = index;
            }
        }
        writer.insert(operator.output().range(), index);
    }
    last
}

fn fill(line: &mut [char; COLUMNS], range: &Range<usize>, arena: usize, mark: char) {
    let column = |byte: usize| (byte as u64 * COLUMNS as u64, (arena as u64).max(1));
    let ((start, whole), (end, _)) = (column(range.start), column(range.end));
    let (start, end) = ((start / whole) as usize, end.div_ceil(whole) as usize);
    line[start.min(COLUMNS - 1)..end.clamp(1, COLUMNS)].fill(mark);
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge8::Shape;
    use edge8::fixed_point::{Activation, Multiplier};
    use edge8::operator::{Constant, MaxPool, Pool, Softmax, Window};

    #[test]
    fn ranges_cover_their_columns() {
        let mut line = ['.'; COLUMNS];
        fill(&mut line, &(0..1), 6400, '#');
        fill(&mut line, &(6300..6400), 6400, '=');
        fill(&mut line, &(100..300), 6400, '-');
        let text: String = line.iter().collect();
        assert!(text.starts_with("#--.") && text.ends_with(".="), "{text}");
    }
    /// A constant, a softmax in its place, a pool elsewhere.
    #[test]
    fn what_is_written_in_place_counts_once() {
        let shape = Shape { height: 1, width: 1, channels: 64 };
        let at = |offset| Tensor { offset, shape, rows: 1, zero_point: -128, scale: Softmax::OUTPUT_SCALE };
        let window = Window { kernel: [1; 2], stride: [1; 2], padding: [0; 2] };
        let multiplier = Multiplier { mantissa: 1 << 30, shift: 22 };
        let operators = [
            Operator::Constant(Constant { output: at(0), values: &[0; 64] }),
            Operator::Softmax(Softmax { input: at(0), output: at(0), multiplier, diff_min: -255 }),
            Operator::MaxPool(MaxPool(Pool {
                input: at(0),
                output: at(64),
                window,
                activation: Activation::NONE,
            })),
        ];
        let map = memory_map(&operators, 128);
        let lines: Vec<String> = map.lines().map(|line| line.split_whitespace().skip(2).collect()).collect();
        let half = |mark: &str| mark.repeat(COLUMNS / 2);
        assert_eq!(lines[1], half("#") + &half(".") + "64B");
        assert_eq!(lines[2], half("#") + &half(".") + "64B");
        assert_eq!(lines[3], half("=") + &half("#") + "128B");
    }
}
