//! The kernel sets that a test compares: those that this processor runs.

use edge8::kernels::KernelSet;
use std::io::Write;

/// The kernel sets that this processor runs; the scalar one is the last.
pub fn available() -> impl Iterator<Item = KernelSet> {
    KernelSet::ALL.iter().copied().filter(|set| set.is_available())
}

/// Says which kernel sets a test program runs and which it cannot, past the test harness, which hides what a test that
/// passes prints.
pub fn report() {
    let mut lines = String::new();
    for set in KernelSet::ALL {
        let (said, why) = if set.is_available() { ("run", "") } else { ("not run", " (no such processor)") };
        lines += &format!("{said} here: {}{why}\n", set.name());
    }
    std::io::stderr().write_all(lines.as_bytes()).expect("standard error takes it");
}
