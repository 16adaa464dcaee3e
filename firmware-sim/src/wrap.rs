//! A text in lines of some width.

/// The lines of a text: they end at spaces, or within a word that is longer than a line.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    rest: &'a str,
    /// Characters of a line.
    most: usize,
}

impl<'a> Lines<'a> {
    /// Lines of at most so many characters, of which there is at least one.
    pub fn new(text: &'a str, most: usize) -> Self {
        Self { rest: text.trim(), most: most.max(1) }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        // Behind the last character that fits, and behind the last word that does.
        let (mut end, mut word) = (self.rest.len(), None);
        for (count, (at, character)) in self.rest.char_indices().enumerate() {
            if character == ' ' {
                word = Some(at);
            }
            if count == self.most {
                end = word.unwrap_or(at);
                break;
            }
        }
        let (line, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.trim_start();
        (!line.is_empty()).then_some(line)
    }
}

/// Whether a text fits `down` lines of `across` characters, with all its words whole.
pub fn fits(text: &str, (across, down): (u32, u32)) -> bool {
    let whole = |word: &str| word.chars().count() <= across as usize;
    text.split(' ').all(whole) && Lines::new(text, across as usize).count() <= down as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_spaces_or_where_they_must() {
        let lines = |text, most| Lines::new(text, most).collect::<Vec<_>>();
        assert_eq!(lines("blaue Tür", 5), ["blaue", "Tür"]);
        assert_eq!(lines("blaue Tür", 9), ["blaue Tür"]);
        assert_eq!(lines("a hammer and nails", 8), ["a hammer", "and", "nails"]);
        assert_eq!(lines("screwdriver", 5), ["screw", "drive", "r"]);
        assert_eq!(lines(" ", 5), [""; 0]);
        assert_eq!(lines("äöü", 0), ["ä", "ö", "ü"]);
    }

    #[test]
    fn what_fits_has_all_its_words_whole() {
        assert!(fits("blaue Tür", (5, 2)) && !fits("blaue Tür", (4, 9)) && !fits("blaue Tür", (5, 1)));
    }
}
