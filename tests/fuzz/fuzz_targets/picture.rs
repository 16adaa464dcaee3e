//! Any bytes as a PNG, JPEG, WebP or BMP file. Run as the target `tflite`, with `-max_len=4096`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = tests::untrusted::picture(bytes);
});
