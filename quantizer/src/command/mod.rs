//! The subcommands.

pub mod calibrate;
pub mod check;
mod files;
