//! Any bytes as a model image.
#![no_main]

#[global_allocator]
static ALLOCATOR: tests::allocation::Counting = tests::allocation::Counting;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tests::untrusted::image(bytes);
});
