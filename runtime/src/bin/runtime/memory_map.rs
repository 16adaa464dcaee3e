//! What lies where in the arena, drawn as text.

use runtime::operator::Operator;
use std::ops::Range;

/// Columns of the map.
const COLUMNS: usize = 64;

/// A line per operator: `#` is written, `=` is read, `-` waits for a later operator, `.` is free.
pub fn memory_map(operators: &[Operator<'_>], arena: usize) -> String {
    let mut text = format!(
        "arena of {arena} bytes, {} a column: # written, = read, - kept, . free\n",
        arena.div_ceil(COLUMNS)
    );
    for (index, operator) in operators.iter().enumerate() {
        let mut line = ['.'; COLUMNS];
        for kept in kept_over(operators, index) {
            fill(&mut line, kept, arena, '-');
        }
        for input in operator.inputs() {
            fill(&mut line, input.range(), arena, '=');
        }
        fill(&mut line, operator.output().range(), arena, '#');
        let used =
            operator.inputs().chain([operator.output()]).map(|tensor| tensor.shape.len()).sum::<usize>();
        let line: String = line.iter().collect();
        text += &format!("{index:>3} {:<17} {line} {used:>7} B\n", operator.name());
    }
    text.trim_end().to_string()
}

/// Outputs of earlier operators that a later one reads.
fn kept_over<'a>(operators: &'a [Operator<'_>], index: usize) -> impl Iterator<Item = Range<usize>> + 'a {
    let later = operators.iter().skip(index + 1).enumerate();
    later.flat_map(move |(distance, reader)| {
        let before = &operators[..index + 1 + distance];
        // The tensor that is read was written by the last operator before with this output.
        reader.inputs().map(|input| input.range()).filter(move |range| {
            before
                .iter()
                .rposition(|writer| writer.output().range() == *range)
                .is_none_or(|writer| writer < index)
        })
    })
}

fn fill(line: &mut [char; COLUMNS], range: Range<usize>, arena: usize, mark: char) {
    let column = |byte: usize| byte * COLUMNS / arena.max(1);
    let (start, end) = (column(range.start), (range.end * COLUMNS).div_ceil(arena.max(1)));
    line[start.min(COLUMNS - 1)..end.clamp(1, COLUMNS)].fill(mark);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_their_columns() {
        let mut line = ['.'; COLUMNS];
        fill(&mut line, 0..1, 6400, '#');
        fill(&mut line, 6300..6400, 6400, '=');
        fill(&mut line, 100..300, 6400, '-');
        let text: String = line.iter().collect();
        assert!(text.starts_with("#--.") && text.ends_with(".="), "{text}");
    }
}
