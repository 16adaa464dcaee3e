//! The device app: a reader of what is drawn, digits above all, on any `embedded_graphics` display.
//!
//! One [`App`] runs in the simulator, on a Cortex-M and in a browser. A [`Board`] brings events and a clock, a
//! [`Reader`](reader::Reader) the model, of any classes, and its memory. There is no heap and no float; all memory is in the two.

#![cfg_attr(not(test), no_std)]

mod app;
mod board;
pub mod canvas;
pub mod layout;
mod name;
mod outcome;
mod page;
mod prepare;
pub mod reader;
pub mod script;
mod text;
mod theme;
mod wrap;

pub use app::App;
pub use board::{Board, Event};
pub use name::Name;
pub use outcome::Outcome;
pub use text::Line;
pub use theme::Theme;
