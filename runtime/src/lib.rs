//! int8 inference without heap, operating system or floats.
#![no_std]

pub mod picture;
pub mod preprocess;
