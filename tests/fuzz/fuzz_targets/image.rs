//! Any bytes as a model image. Run as the target `tflite`.
#![no_main]

#[global_allocator]
static ALLOCATOR: tests::allocation::Counting = tests::allocation::Counting;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = tests::untrusted::image(bytes);
});
