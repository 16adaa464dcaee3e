//! Any bytes as a `.tflite` file.
//!
//! ```sh
//! cargo install cargo-fuzz
//! cargo run --release -p tests --example seeds
//! cargo +nightly fuzz run --fuzz-dir tests/fuzz -s none tflite -- -max_total_time=600 -rss_limit_mb=2048 -timeout=10 -max_len=65536
//! ```
//!
//! `tests/corpus.rs` replays the corpus. What a run finds is added to it by libFuzzer's `-set_cover_merge=1 -use_counters=0`
//! with `-max_len=1000` (images: 4096): one small file for each piece of code reached.
#![no_main]

#[global_allocator]
static ALLOCATOR: tests::allocation::Counting = tests::allocation::Counting;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = tests::untrusted::tflite(bytes);
});
