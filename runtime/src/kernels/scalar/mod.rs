//! Plain Rust: the fallback on every processor and the oracle of every other kernel set.
//!
//! Written so that the compiler can prove it free of panics: slices are cut with `get`, chunk lengths are at least 1.

mod add;
mod constant;
mod convolution;
mod depthwise;
mod mean;
mod pad;
mod pointwise;
mod pool;
mod softmax;

pub use add::add;
pub use constant::constant;
pub use convolution::convolution;
pub use depthwise::depthwise;
pub use mean::mean;
pub use pad::pad;
pub use pointwise::{fully_connected, pointwise};
pub use pool::{average_pool, max_pool};
pub use softmax::softmax;

use super::Kernels;

/// The scalar kernel set.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

impl Kernels for Scalar {}

/// `sum of w * (x - zero_point)` over the shorter of the two slices.
fn dot(x: &[i8], zero_point: i8, w: &[i8]) -> i32 {
    x.iter().zip(w).map(|(&x, &w)| (i32::from(x) - i32::from(zero_point)) * i32::from(w)).sum()
}
