//! int8 inference without heap, operating system or floats.
//!
//! A network arrives as a *model image* ([`image`]): one flat file that is used where it lies, in flash or mapped
//! into memory. [`Model::parse`] checks every byte that matters once; afterwards [`Model::run`] cannot fail late: no
//! panic, no overflow, no access out of bounds, no allocation. The arithmetic is TensorFlow Lite's int8
//! specification with single rounding ([`fixed_point`]), the same bits on every processor.
//!
//! ```
//! edge8::embed_model!(mod digits, "../models/mnist.edge8");
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
//! | module | subject |
//! | --- | --- |
//! | [`image`] | the model image, byte by byte |
//! | [`operator`] | what an operator record says |
//! | [`packing`] | the order of the weights |
//! | [`kernels`] | the arithmetic of each operator |
//! | [`fixed_point`] | the one rescale that all operators share |
//!
//! The feature `std` (off on devices) asks the standard library what an AArch64 processor has, where nothing else tells.
#![no_std]
#![deny(unsafe_code)]

#[cfg(any(test, feature = "std"))]
extern crate std;

mod bytes;
mod cast;
mod engine;
mod error;
pub mod fixed_point;
pub mod image;
pub mod kernels;
mod model;
pub mod operator;
pub mod packing;
mod recipe;
mod slices;
mod tensor;

pub use cast::{as_u8 as bytes_of, as_u8_mut as bytes_of_mut};
pub use engine::Computed;
#[cfg(not(target_os = "none"))]
pub use engine::threads::Threads;
pub use error::{Error, Problem};
pub use model::Model;
pub use recipe::{Digit, Framing, Recipe};
pub use tensor::{Shape, Tensor};
