//! The command `quantizer`.
fn main() {}
