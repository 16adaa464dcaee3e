//! Helpers shared by the tests that cross crates.

pub mod bytes;
pub mod network;
pub mod reference;
pub mod spec;
