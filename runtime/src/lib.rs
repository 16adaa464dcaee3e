//! int8 inference without heap, operating system or floats.
//!
//! A network arrives as a *model image* ([`image`]): one flat file that is used where it lies, in flash or mapped
//! into memory. [`Model::parse`] checks every byte that matters once; afterwards [`Model::run`] cannot fail late: no
//! panic, no overflow, no access out of bounds, no allocation. The arithmetic is TensorFlow Lite's int8
//! specification with single rounding ([`fixed_point`]), the same bits on every processor.
//!
//! ```
//! runtime::embed_model!(mod digits, "../models/mnist.edge8");
//!
//! let model = digits::model()?;
//! let mut arena = digits::Arena::new();
//! let mut input = [0i8; digits::INPUT_LEN];
//! let mut probabilities = [0i8; digits::OUTPUT_LEN];
//!
//! // A 28x28 picture with a vertical stroke, as a touch screen or a camera would deliver it.
//! let mut pixels = [0u8; 28 * 28];
//! for y in 4..24 {
//!     pixels[y * 28 + 13..y * 28 + 15].fill(255);
//! }
//! let picture = runtime::picture::Picture::new(28, 28, &pixels)?;
//! let mut workspace = runtime::preprocess::Workspace::new();
//! model.recipe()?.apply(&picture, workspace.bytes(), &mut input)?;
//!
//! model.run(&input, arena.bytes(), &mut probabilities)?;
//! assert_eq!(runtime::Model::class(&probabilities), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | subject |
//! | --- | --- |
//! | [`picture`], [`preprocess`] | from a grey picture to the input tensor |
//! | [`image`] | the model image, byte by byte |
//! | [`operator`] | what an operator record says |
//! | [`packing`] | the order of the weights |
//! | [`kernels`] | the arithmetic of each operator |
//! | [`fixed_point`] | the one rescale that all operators share |
//!
//! The feature `std` (off on devices) asks the standard library what an AArch64 processor has, where nothing else tells.
//! The feature `picture-file` (off on devices) adds the decoding of PNG and JPEG files that the commands share.
#![no_std]
#![deny(unsafe_code)]

#[cfg(any(test, feature = "std"))]
extern crate std;

mod cast;
mod engine;
mod error;
pub mod fixed_point;
pub mod image;
pub mod kernels;
mod model;
pub mod operator;
pub mod packing;
pub mod picture;
#[cfg(feature = "picture-file")]
pub mod picture_file;
pub mod preprocess;
mod slices;
mod tensor;

pub use engine::Computed;
#[cfg(not(target_os = "none"))]
pub use engine::threads::Threads;
pub use error::{Error, Problem};
pub use model::Model;
pub use tensor::{Shape, Tensor};
