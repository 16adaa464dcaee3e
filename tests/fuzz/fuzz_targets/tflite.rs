//! Any bytes as a `.tflite` file.
//!
//! ```sh
//! cargo install cargo-fuzz
//! cargo run --release -p tests --example seeds
//! cargo +nightly fuzz run --fuzz-dir tests/fuzz tflite -- -max_total_time=600 -rss_limit_mb=2048 -timeout=10 -max_len=65536
//! cargo +nightly fuzz cmin --fuzz-dir tests/fuzz tflite
//! ```
#![no_main]

#[global_allocator]
static ALLOCATOR: tests::allocation::Counting = tests::allocation::Counting;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = tests::untrusted::tflite(bytes);
});
