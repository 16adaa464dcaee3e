//! The command `runtime`.
fn main() {}
