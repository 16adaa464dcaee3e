//! The kernel sets that this processor runs, and those that it does not.

use edge8::KernelSet;
use std::io::Write;

/// Says which kernel sets a test program runs and which it cannot, past the test harness, which hides what a test that
/// passes prints.
pub fn report() {
    let mut lines = String::new();
    for name in KernelSet::names() {
        let (said, why) =
            if KernelSet::named(name).is_ok() { ("run", "") } else { ("not run", " (no such processor)") };
        lines += &format!("{said} here: {name}{why}\n");
    }
    std::io::stderr().write_all(lines.as_bytes()).expect("standard error takes it");
}
