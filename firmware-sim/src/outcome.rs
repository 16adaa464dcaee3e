//! What a sheet was read as, in one line: the same on every device.

use crate::app::App;
use crate::name::Name;
use crate::reader::{Reader, Verdict};
use crate::text::Line;

/// A reading, and what shows that every layer had the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// What the sheet shows.
    pub verdict: Verdict,
    /// The same in words: the name of the class, or that there is none.
    pub words: Name<'a>,
    /// The highest probability, of 256.
    pub probability: u8,
    /// See [`App::hash_of_layers`].
    pub layers: u32,
}

impl<'a> Outcome<'a> {
    /// The outcome of an app's latest reading. The network runs once more.
    pub fn of(app: &mut App<'a>) -> Self {
        let words = words(app.reader(), app.verdict());
        let probability = app.reader().probabilities().max().unwrap_or(0);
        Self { verdict: app.verdict(), words, probability, layers: app.hash_of_layers() }
    }

    /// Writes the line, as `7, probability 0.996, layers 967d9310`, without its end. It comes in parts.
    pub fn write(&self, mut out: impl FnMut(&str)) {
        out(self.words.as_str());
        // p / 256 in thousandths, rounded: 1000 / 256 = 125 / 32.
        let thousandths = (usize::from(self.probability) * 125 + 16) / 32;
        let [a, b, c] = [thousandths / 100, thousandths / 10 % 10, thousandths % 10];
        out(", probability 0.");
        out(Line::new().number(a).number(b).number(c).as_str());
        out(", layers ");
        out(Line::new().hex(self.layers).as_str());
    }
}

fn words<'a>(reader: &Reader<'a>, verdict: Verdict) -> Name<'a> {
    match verdict {
        Verdict::Blank => Name::Label("blank"),
        Verdict::Reject => Name::Label(if reader.reads_digits() { "no digit" } else { "none of these" }),
        Verdict::Class(class) => reader.name(class.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(verdict: Verdict, words: &str, probability: u8, layers: u32) -> String {
        let mut line = String::new();
        Outcome { verdict, words: Name::Label(words), probability, layers }.write(|part| line.push_str(part));
        line
    }

    #[test]
    fn a_line_has_the_verdict_three_decimals_and_eight_hex_digits() {
        assert_eq!(line(Verdict::Class(7), "7", 255, 0xabc), "7, probability 0.996, layers 00000abc");
        assert_eq!(
            line(Verdict::Reject, "no digit", 134, u32::MAX),
            "no digit, probability 0.523, layers ffffffff"
        );
        assert_eq!(
            line(Verdict::Blank, "blank", 2, 0x8012_3456),
            "blank, probability 0.008, layers 80123456"
        );
    }

    #[test]
    fn the_decimals_are_rounded() {
        for probability in 0..=u8::MAX {
            let text = line(Verdict::Blank, "blank", probability, 0);
            let shown: f64 = text.split([' ', ',']).nth(3).unwrap().parse().unwrap();
            assert!((shown - f64::from(probability) / 256.0).abs() <= 0.000_500_1, "{text}");
        }
    }
}
