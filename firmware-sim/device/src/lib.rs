//! What the programs for a Cortex-M have in common: how they end, and what a run costs.

#![cfg_attr(target_os = "none", no_std)]

#[cfg(target_os = "none")]
pub mod bare_metal;
#[cfg(target_os = "none")]
pub mod marks;
