//! Any bytes as a `.tflite` file.
#![no_main]

#[global_allocator]
static ALLOCATOR: tests::allocation::Counting = tests::allocation::Counting;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tests::untrusted::tflite(bytes);
});
