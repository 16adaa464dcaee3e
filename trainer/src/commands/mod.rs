//! The subcommands.

pub(crate) mod bench;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod fit;
