//! The subcommands.

pub mod calibrate;
pub mod check;
pub mod compare;
pub mod export;
pub mod import;
mod inputs;
pub mod plan;
mod recipe;
