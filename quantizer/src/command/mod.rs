//! The subcommands.

pub mod calibrate;
pub mod check;
mod files;
pub mod import;
