//! int8 inference without heap, operating system or floats.
//!
//! A network arrives as a *model image* ([`image`]): one flat file that is used where it lies, in flash or mapped
//! into memory. [`Model::parse`] checks every byte that matters once; afterwards [`Model::run`] cannot fail late: no
//! panic, no overflow, no access out of bounds, no allocation. The arithmetic is TensorFlow Lite's int8
//! specification with single rounding ([`fixed_point`]), the same bits on every processor.
//!
//! ```
//! edge8::embed_model!(mod digits, concat!(env!("CARGO_MANIFEST_DIR"), "/../models/mnist.edge8"));
//!
//! let model = digits::model()?;
//! let mut arena = digits::Arena::new();
//! let mut input = [0i8; digits::INPUT_LEN];
//! let mut probabilities = [0i8; digits::OUTPUT_LEN];
//!
//! // A vertical stroke, light on dark, as it lies in the input tensor.
//! let shape = model.input().shape;
//! input.fill(model.input().zero_point);
//! for y in 5..27 {
//!     let row = y * usize::from(shape.width);
//!     input[row + 15..row + 18].fill(127);
//! }
//!
//! model.run(&input, arena.bytes(), &mut probabilities)?;
//! assert_eq!(edge8::Model::class(&probabilities), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | item | what it is |
//! | --- | --- |
//! | [`Model`], [`embed_model!`] | a checked image; one inside the program |
//! | [`Tensor`], [`Shape`], [`Operator`], [`Step`] | what it says of itself |
//! | [`Computed`], [`TestVector`], [`Crc32`] | what each layer computes, and what it must compute |
//! | [`Recipe`], [`Reject`] | how a picture becomes the input, and when an output is no answer |
//! | [`KernelSet`], [`Threads`] | what computes it |
//! | [`image`] | the format, byte by byte |
//!
//! Features, all off by default:
//!
//! * `std` asks the standard library what an AArch64 processor has, where nothing else tells.
//! * `device` builds the library as for a target without an operating system: small code, little stack, what only tools need
//!   left out. Such targets have it without asking; a real-time system whose target has a name asks.
//! * `dsp` says that an Armv8-M processor has the DSP extension (most Cortex-M33, all M55 and M85), which the target's name does
//!   not tell; so does `-C target-cpu=cortex-m33`, or any other processor that has it.
//! * `defmt` implements `defmt::Format` for errors.
#![no_std]
#![deny(unsafe_code)]

#[cfg(any(test, feature = "std"))]
extern crate std;

mod aligned;
mod bytes;
mod cast;
mod checksum;
mod embed;
mod engine;
mod error;
#[doc(hidden)]
pub mod fixed_point;
#[cfg(arm_dsp)]
#[allow(unsafe_code)]
mod fold;
#[doc(hidden)]
pub mod format;
pub mod image;
mod kernels;
mod model;
#[doc(hidden)]
pub mod operator;
#[doc(hidden)]
pub mod packing;
mod recipe;
mod reject;
mod scratch;
mod slices;
mod tensor;

pub use aligned::Aligned;
pub use cast::{as_u8 as bytes_of, as_u8_mut as bytes_of_mut};
pub use checksum::Crc32;
pub use engine::Computed;
#[cfg(not(device))]
pub use engine::threads::Threads;
pub use error::{Error, Problem};
pub use format::section;
pub use image::{Operators, Step, Steps, TestVector, TestVectors};
pub use kernels::{KernelSet, NotHere};
pub use model::Model;
pub use operator::Operator;
pub use recipe::{Digit, Fit, Framing, Preparation, Recipe, Scaled, Sizing};
pub use reject::Reject;
pub use tensor::{Shape, Tensor};

/// What edge8's own tools need, as the other modules that are not documented: no part of the public interface, it changes without
/// notice.
#[doc(hidden)]
pub mod internal {
    pub use crate::checksum::image_checksum;
    pub use crate::embed::Facts;
    #[cfg(not(device))]
    pub use crate::engine::compute;
    #[cfg(not(device))]
    pub use crate::kernels::Probe;
}
