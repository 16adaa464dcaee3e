//! The subcommands.

pub mod calibrate;
pub mod check;
pub mod export;
mod files;
pub mod import;
