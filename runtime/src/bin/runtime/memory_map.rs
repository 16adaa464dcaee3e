//! What lies where in the arena, drawn as text.

use runtime::operator::Operator;
use std::collections::HashMap;
use std::ops::Range;

/// Columns of the map.
const COLUMNS: usize = 64;

/// A line per operator: `#` is written, `=` is read, `-` waits for a later operator, `.` is free.
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
        if last_reads[index] > index {
            kept.push((output, last_reads[index]));
        }
        let used =
            operator.inputs().chain([operator.output()]).map(|tensor| tensor.shape.len()).sum::<usize>();
        let line: String = line.iter().collect();
        text += &format!("{index:>3} {:<17} {line} {used:>7} B\n", operator.name());
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

    #[test]
    fn ranges_cover_their_columns() {
        let mut line = ['.'; COLUMNS];
        fill(&mut line, &(0..1), 6400, '#');
        fill(&mut line, &(6300..6400), 6400, '=');
        fill(&mut line, &(100..300), 6400, '-');
        let text: String = line.iter().collect();
        assert!(text.starts_with("#--.") && text.ends_with(".="), "{text}");
    }
}
