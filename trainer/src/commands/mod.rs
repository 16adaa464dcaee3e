//! The subcommands.

mod bar;
pub(crate) mod bench;
pub(crate) mod compare;
mod device;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod fit;
mod prepare;
