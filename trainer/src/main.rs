//! The command `trainer`.
fn main() {}
