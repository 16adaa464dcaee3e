//! The layers of a network as the engine computes them, and back. What the engine knows of an operator stands in `edge8`; here it is
//! given its numbers.
//!
//! | module | subject |
//! | --- | --- |
//! | `operator` | a layer as the engine's operator |
//! | `layer` | an operator as a layer |
//! | `parameters` | the weights section |
//! | `scales` | scales from multipliers |

mod fields;
mod layer;
mod operator;
mod parameters;
mod scales;

pub(crate) use fields::{put, size};
pub(crate) use layer::{described, layer};
pub(crate) use operator::{operator, tensor};
pub(crate) use parameters::Parameters;
