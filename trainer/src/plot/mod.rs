//! Pictures of a training run as PNG: curves, confusion matrix, mistakes. Text is a built-in bitmap font, so that no system
//! font is needed and the pictures are the same everywhere.

mod canvas;
mod confusion;
mod curves;
mod mistakes;

pub use confusion::confusion_png;
pub use curves::curves_png;
pub use mistakes::mistakes_png;
