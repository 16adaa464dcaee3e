//! What a class is called.

use crate::text::Line;

/// Whether the program has code for labels; else classes are called by their numbers.
pub const LABELS: bool = cfg!(feature = "pictures");

/// A class's label in the model, or its number where that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// A label.
    Label(&'a str),
    /// A number, in words.
    Number(Line),
}

impl Name<'_> {
    /// The name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Label(label) => label,
            Self::Number(line) => line.as_str(),
        }
    }
}
