//! Pictures that cannot be read: named, left out and counted, so that one of them does not end the work on all others.

use anyhow::{Result, bail};
use std::fmt;

/// So many are named; a folder in the wrong format need not fill the terminal.
const NAMED: usize = 10;

/// Which of a number of pictures were left out, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    of: usize,
    reasons: Vec<String>,
}

impl LeftOut {
    /// Of `of` pictures those that the reasons name.
    pub fn new(of: usize, reasons: Vec<String>) -> Self {
        Self { of, reasons }
    }

    /// Number of pictures left out.
    pub fn len(&self) -> usize {
        self.reasons.len()
    }

    /// Whether all pictures were read.
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }

    /// Ends the work if nothing is left to work on, or if `strict` asks for every picture.
    ///
    /// # Errors
    /// If so, naming the pictures.
    pub fn check(&self, strict: bool) -> Result<()> {
        if self.len() == self.of && self.of > 0 {
            bail!("no picture can be read; {self}");
        }
        if strict && !self.is_empty() {
            bail!("--strict, but {self}");
        }
        Ok(())
    }

    /// How many pictures had this fate, and the first of them.
    pub fn told(&self, fate: &str) -> String {
        let mut text = format!("{} of {} pictures {fate}:", self.len(), self.of);
        for reason in self.reasons.iter().take(NAMED) {
            text += &format!("\n  {reason}");
        }
        match self.len().saturating_sub(NAMED) {
            0 => text,
            more => text + &format!("\n  and {more} more"),
        }
    }

    /// Says on stderr which pictures were left out, if any.
    pub fn report(&self) {
        if !self.is_empty() {
            eprintln!("{self}");
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told("left out"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_named_all_are_counted() {
        let left_out = |count: usize| {
            LeftOut::new(320, (0..count).map(|index| format!("{index}.png: is broken")).collect())
        };
        assert_eq!(
            left_out(2).to_string(),
            "2 of 320 pictures left out:\n  0.png: is broken\n  1.png: is broken"
        );
        assert!(left_out(12).to_string().ends_with("\n  9.png: is broken\n  and 2 more"));
        assert!(left_out(0).check(true).is_ok() && left_out(2).check(false).is_ok());
        assert!(left_out(2).check(true).unwrap_err().to_string().contains("--strict, but 2 of 320"));
        assert!(left_out(320).check(false).unwrap_err().to_string().contains("no picture"));
        assert!(LeftOut::default().check(true).is_ok());
    }
}
