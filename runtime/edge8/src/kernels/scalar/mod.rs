//! Plain Rust: the fallback on every processor and the oracle of every other kernel set.
//!
//! Written so that the compiler can prove it free of panics: slices are cut with `get`, chunk lengths are at least 1.

mod add;
mod constant;
mod depthwise;
mod mean;
mod pad;
mod pool;
mod product;
mod softmax;

pub use add::add;
pub use constant::constant;
pub use depthwise::depthwise;
pub use mean::mean;
pub use pad::pad;
pub use pool::{average_pool, max_pool};
#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
pub(super) use pool::{mean_of, pixels, window};
pub use product::product;
pub use softmax::softmax;
