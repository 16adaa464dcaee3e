//! What the programs for a Cortex-M have in common: how they end, and what a run costs. And how a real board is plugged in.

#![cfg_attr(not(test), no_std)]

#[cfg(target_os = "none")]
pub mod bare_metal;
#[cfg(target_os = "none")]
pub mod marks;
#[cfg(feature = "real-display")]
pub mod real_display;
