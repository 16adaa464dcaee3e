//! Pictures of training runs as PNG: curves, confusion matrix, mistakes.

mod confusion;
mod curves;
mod mistakes;

pub use confusion::confusion_png;
pub use curves::{curves_png, runs_png};
pub use mistakes::mistakes_png;
