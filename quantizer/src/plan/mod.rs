//! The memory plan: which rows are computed when, and where each activation tensor lies in the arena.

mod buffers;
mod network;
mod placement;
mod program;
mod segment;
mod stream;

pub use network::NetworkPlan;
pub use placement::{Lifetime, Plan, plan};
pub use segment::Step;
