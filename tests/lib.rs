//! Helpers shared by the tests that cross crates.

pub mod allocation;
pub mod bytes;
#[cfg(feature = "chain")]
pub mod commands;
#[cfg(feature = "chain")]
pub mod cross;
#[cfg(feature = "chain")]
pub mod device;
pub mod edges;
pub mod exercise;
#[cfg(feature = "chain")]
pub mod golden;
#[cfg(feature = "chain")]
pub mod mnist;
pub mod network;
pub mod random;
pub mod reference;
pub mod scoped;
pub mod spec;
#[cfg(feature = "chain")]
pub mod tools;
#[cfg(feature = "chain")]
pub mod untrusted;
